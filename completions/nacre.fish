# Completion of nacre(1) for fish.

set -l commands volume mount unmount status history restore snapshot retention prune compact check \
    flush forget tier node device put get query delete corrupt cluster bench completion
set -l first "not __fish_seen_subcommand_from $commands"

complete -c nacre -f -n $first -l help -d 'Show help'
complete -c nacre -f -n $first -l version -d 'Show the version'
complete -c nacre -f -n $first -a volume -d 'Make, change and destroy volumes'
complete -c nacre -f -n $first -a mount -d 'Mount a volume, or a moment of its past'
complete -c nacre -f -n $first -a unmount -d 'Unmount; the last mount closes the volume'
complete -c nacre -f -n $first -a status -d 'Show a volume, or which are mounted'
complete -c nacre -f -n $first -a history -d 'List the versions of a file, or deleted names'
complete -c nacre -f -n $first -a restore -d 'Bring a file or a directory tree back as it was'
complete -c nacre -f -n $first -a snapshot -d 'Name a moment of the whole volume and keep it'
complete -c nacre -f -n $first -a retention -d 'How long history is kept'
complete -c nacre -f -n $first -a prune -d 'Drop history that the policy no longer keeps'
complete -c nacre -f -n $first -a compact -d 'Give back space that is taken by what nobody needs'
complete -c nacre -f -n $first -a check -d 'Verify a whole volume'
complete -c nacre -f -n $first -a flush -d 'Make everything written so far durable'
complete -c nacre -f -n $first -a forget -d 'Erase one path from all history, for good'
complete -c nacre -f -n $first -a tier -d 'What of a volume is on the disk, and what in its bucket'
complete -c nacre -f -n $first -a node -d 'Run the nodes of a cluster'
complete -c nacre -f -n $first -a device -d 'Add and remove the disks of a cluster'
complete -c nacre -f -n $first -a put -d 'Store a file in a cluster and print its id'
complete -c nacre -f -n $first -a get -d 'Fetch what was put'
complete -c nacre -f -n $first -a query -d 'Show where an object is and how well'
complete -c nacre -f -n $first -a delete -d 'Delete an object'
complete -c nacre -f -n $first -a corrupt -d 'Damage a fragment of an object on purpose, as a test'
complete -c nacre -f -n $first -a cluster -d 'Look after a cluster, or plan one'
complete -c nacre -f -n $first -a bench -d 'Measure how fast a directory is'
complete -c nacre -f -n $first -a completion -d "Print a shell's completion script"

function __nacre_action
    __fish_seen_subcommand_from $argv[1]; and not __fish_seen_subcommand_from $argv[2..-1]
end

set -l volume '__fish_seen_subcommand_from volume; and __fish_seen_subcommand_from'
set -l actions create recover set destroy
complete -c nacre -f -n "__nacre_action volume $actions" -a create \
    -d 'Make a volume in a directory'
complete -c nacre -f -n "__nacre_action volume $actions" -a recover \
    -d 'Make a volume anew of what its bucket has'
complete -c nacre -f -n "__nacre_action volume $actions" -a set \
    -d 'Change how a volume uses its bucket'
complete -c nacre -f -n "__nacre_action volume $actions" -a destroy \
    -d 'Destroy a volume, or its copy here'
set -l in "$volume create"
complete -c nacre -n $in -l block-size -x -d 'Largest block, a power of two'
complete -c nacre -n $in -l compress -x -a 'none lz4 zstd' -d 'Compression'
complete -c nacre -n $in -l dedup -d 'Store identical content once'
complete -c nacre -n $in -l capacity -x -d 'The most it may take'
complete -c nacre -n $in -l device -r -d 'Device for the data'
set -l in "$volume create recover"
complete -c nacre -n $in -l remote -x -d 's3://BUCKET/PREFIX: its data lives there'
complete -c nacre -n $in -l endpoint -x -d 'https://HOST of the bucket'
complete -c nacre -n $in -l region -x -d 'Of the bucket'
complete -c nacre -n $in -l ca-file -r -d "Certificates to trust instead of the system's"
complete -c nacre -n $in -l virtual-hosted -d 'The bucket is reached as https://BUCKET.HOST'
complete -c nacre -n $in -l sync-remote -d 'fsync waits for the bucket'
complete -c nacre -n $in -l encrypt -d 'The bucket is sealed under a passphrase'
set -l in "$volume create recover set"
complete -c nacre -n $in -l credentials -r -d 'A TOML file, else environment or ~/.aws/credentials'
complete -c nacre -n $in -l cache-size -x -d 'The most that the directory takes of this disk'
complete -c nacre -n $in -l offline -x -a 'fail wait' -d 'Reads while the bucket is away'
complete -c nacre -n $in -l key-file -r -d 'The bucket is sealed by this file'
complete -c nacre -n "$volume recover" -l at -x -a yesterday -d 'The present becomes what it was'
set -l in "$volume set"
complete -c nacre -n $in -l sync-remote -x -a 'yes no' -d 'Whether fsync waits for the bucket'
complete -c nacre -n $in -l passphrase -d 'Seal the key of the bucket under another'
set -l in "$volume destroy"
complete -c nacre -n $in -l remote -d 'What is in its bucket goes as well'
complete -c nacre -n $in -l yes -d 'Do not ask'
complete -c nacre -n "$volume create recover destroy" -l force -d 'Destroy what is there'
complete -c nacre -n "$volume set destroy" -l json -d 'For scripts'

set -l in '__fish_seen_subcommand_from mount'
complete -c nacre -n $in -s f -l foreground -d 'Stay in the foreground'
complete -c nacre -n $in -s s -l single-threaded -d 'Serve one request at a time'
complete -c nacre -n $in -l read-only -d 'Change nothing'
complete -c nacre -n $in -l at -x -a 'now yesterday' -d 'Mount this moment'
complete -c nacre -n $in -s o -x -a 'ro noatime allow_other' -d 'Mount options'

complete -c nacre -n '__fish_seen_subcommand_from unmount' -l lazy -d 'Even if files are open'

set -l in '__fish_seen_subcommand_from history'
complete -c nacre -n $in -l deleted -d 'Names the directory holds no more'
complete -c nacre -n $in -s r -l recursive -d 'Those of directories below it too'

set -l in '__fish_seen_subcommand_from restore'
complete -c nacre -n $in -l at -x -a 'now yesterday' -d 'As of this moment'
complete -c nacre -n $in -l version -x -d 'A number that history shows'
complete -c nacre -n $in -l to -r -d 'Where to'
complete -c nacre -n $in -l force -d 'Replace what is in the way'

complete -c nacre -f -n '__nacre_action snapshot create list delete' -a 'create list delete'

complete -c nacre -f -n '__nacre_action retention show set confirm-clock' \
    -a 'show set confirm-clock'
set -l in '__fish_seen_subcommand_from retention; and __fish_seen_subcommand_from set'
complete -c nacre -n $in -l keep -x -d 'Younger history stays'
complete -c nacre -n $in -l budget -x -d 'Percent of the capacity for history'

complete -c nacre -n '__fish_seen_subcommand_from prune' -l before -x -a yesterday \
    -d 'Everything older than this'

set -l in '__fish_seen_subcommand_from check'
complete -c nacre -n $in -l deep -d 'Read every byte'
complete -c nacre -n $in -l repair -d 'Mend what can be mended'

complete -c nacre -n '__fish_seen_subcommand_from forget; and not __fish_seen_subcommand_from node' \
    -l yes -d 'Do not ask'

set -l tier '__fish_seen_subcommand_from tier; and __fish_seen_subcommand_from'
set -l actions status flush pause resume compact evict fetch pin unpin worker
complete -c nacre -f -n "__nacre_action tier $actions" -a status \
    -d 'Show what is where, and how it moves'
complete -c nacre -f -n "__nacre_action tier $actions" -a flush \
    -d 'Wait until all is in the bucket'
complete -c nacre -f -n "__nacre_action tier $actions" -a pause \
    -d 'Upload nothing until resume, or until the volume is unmounted'
complete -c nacre -f -n "__nacre_action tier $actions" -a resume -d 'Upload again'
complete -c nacre -f -n "__nacre_action tier $actions" -a evict \
    -d 'Take a file, or all below a directory, off the disk'
complete -c nacre -f -n "__nacre_action tier $actions" -a fetch \
    -d 'Bring a file, or all below a directory, to the disk'
complete -c nacre -f -n "__nacre_action tier $actions" -a compact \
    -d 'Free the bucket of what nobody needs, now'
complete -c nacre -f -n "__nacre_action tier $actions" -a pin \
    -d 'Bring a file, or all below a directory, to the disk, and keep it there'
complete -c nacre -f -n "__nacre_action tier $actions" -a unpin \
    -d 'Let what was pinned leave the disk again'
complete -c nacre -f -n "__nacre_action tier $actions" -a worker \
    -d 'Keep the bucket up to date without a mount'
complete -c nacre -n "$tier status" -l watch -d 'Again every second'
complete -c nacre -n "$tier status" -l prometheus -d 'As metrics'
complete -c nacre -n "$tier status flush pause resume compact evict fetch pin unpin" -l json -d 'For scripts'

set -l node '__fish_seen_subcommand_from node; and __fish_seen_subcommand_from'
set -l actions start join token list status forget stop
complete -c nacre -f -n "__nacre_action node $actions" -a start \
    -d 'Start a node; the first makes the cluster'
complete -c nacre -f -n "__nacre_action node $actions" -a join \
    -d 'Make a new node of an existing cluster'
complete -c nacre -f -n "__nacre_action node $actions" -a token \
    -d 'Print a token with which a node joins'
complete -c nacre -f -n "__nacre_action node $actions" -a list -d 'List the nodes of the cluster'
complete -c nacre -f -n "__nacre_action node $actions" -a status -d 'Show what the node does'
complete -c nacre -f -n "__nacre_action node $actions" -a forget \
    -d 'Forget a node that is gone for good'
complete -c nacre -f -n "__nacre_action node $actions" -a stop -d "End the node's process"
set -l in "$node start join"
complete -c nacre -n $in -l listen -x -d 'HOST:PORT to serve at'
complete -c nacre -n $in -l advertise -x -d 'HOST:PORT that others reach it at'
complete -c nacre -n $in -l zone -x -d 'What fails together: a rack, a room'
complete -c nacre -n $in -l etcd-grace -x -a '5m 1h' -d 'Until a lost member of etcd is replaced'
complete -c nacre -n $in -l out-after -x -a '30m never' -d 'Until others make its fragments anew'
complete -c nacre -n $in -l scrub-grace -x -a '1h 1d' -d 'How long garbage is left alone'
complete -c nacre -n $in -l name -x -d 'For people'
complete -c nacre -n $in -l metrics -x -a off -d 'HOST:PORT where Prometheus asks'
complete -c nacre -n $in -l log-level -x -a 'trace debug info warn error off' \
    -d 'What is worth a line'
complete -c nacre -n $in -l log-size -x -a 4MiB -d 'Of a file of the log'
complete -c nacre -n $in -l log-files -x -a 5 -d 'That are kept'
complete -c nacre -n $in -l no-device -d 'Do not begin with a device in the data directory'
complete -c nacre -n $in -s f -l foreground -d 'Stay in the foreground'
complete -c nacre -n "$node start" -l etcd -x -a supervised -d 'HOST:PORT,... of one that is there'
complete -c nacre -n "$node start" -l insecure -d 'No TLS; on 127.0.0.1 alone'
complete -c nacre -n "$node token" -l ttl -x -a '1h 24h 7d' -d 'How long it is good'
complete -c nacre -n "$node token" -l client -d 'For nacre cluster login'
complete -c nacre -n "$node list status" -l json -d 'For scripts'

set -l device '__fish_seen_subcommand_from device; and __fish_seen_subcommand_from'
set -l actions add list query remove
complete -c nacre -f -n "__nacre_action device $actions" -a add \
    -d 'Give the node a disk, an image or a directory'
complete -c nacre -f -n "__nacre_action device $actions" -a list \
    -d 'List the devices of the cluster'
complete -c nacre -f -n "__nacre_action device $actions" -a query \
    -d 'Show all that is known of a device'
complete -c nacre -f -n "__nacre_action device $actions" -a remove \
    -d 'Move what a device has elsewhere, and let it go'
complete -c nacre -n "$device add" -l size -x -d 'Of a file to be made; the most of a directory'
complete -c nacre -n "$device add" -l force -d 'Destroy what is there'
complete -c nacre -n "$device remove" -l failed -d 'It is lost: rebuild what it had'
complete -c nacre -n "$device add list query" -l json -d 'For scripts'

complete -c nacre -n '__fish_seen_subcommand_from node device' -l data -r \
    -a '(__fish_complete_directories)' -d "The node's data directory"

set -l in '__fish_seen_subcommand_from put'
complete -c nacre -n $in -l code -x -a '4+2 8+3 10+4' -d 'Data and parity fragments'
complete -c nacre -n $in -l copies -x -d 'Copies instead'
set -l in '__fish_seen_subcommand_from get'
complete -c nacre -n $in -l offset -x -d 'Where to begin'
complete -c nacre -n $in -l length -x -d 'How much'
complete -c nacre -f -n '__fish_seen_subcommand_from delete'
set -l in '__fish_seen_subcommand_from corrupt'
complete -c nacre -f -n $in -l flip -d 'Invert bytes of it where they lie'
complete -c nacre -f -n $in -l drop -d 'Remove it from its device'
complete -c nacre -n $in -l bytes -x -d 'How many to flip'
complete -c nacre -n $in -l offset -x -d 'Where in it to begin'
complete -c nacre -n $in -l block -x -d "Which of the object's"
complete -c nacre -n $in -l fragment -x -d "Which of the block's"
complete -c nacre -n $in -l yes -d 'Do it'

complete -c nacre -f -n '__nacre_action cluster status login simulate' -a status \
    -d 'Show how well a cluster is'
complete -c nacre -f -n '__nacre_action cluster status login simulate' -a login \
    -d 'Get the credentials to use a cluster'
complete -c nacre -f -n '__nacre_action cluster status login simulate' -a simulate \
    -d 'Show balance, moves and durability of a cluster'
set -l cluster '__fish_seen_subcommand_from cluster; and __fish_seen_subcommand_from'
complete -c nacre -n "$cluster status" -l watch -d 'Again every second'
complete -c nacre -n "$cluster status simulate" -l json -d 'For scripts'
set -l in "$cluster simulate"
complete -c nacre -n $in -l nodes -x -d 'How many'
complete -c nacre -n $in -l devices-per-node -x -d 'How many'
complete -c nacre -n $in -l zones -x -d 'That the nodes are dealt out to'
complete -c nacre -n $in -l code -x -a '4+2 8+3 10+4' -d 'Data and parity fragments'
complete -c nacre -n $in -l copies -x -d 'Copies instead of a code'
complete -c nacre -n $in -l device-size -x -d 'Of each device'
complete -c nacre -n $in -l afr -x -d 'Part of the devices that fail in a year'
complete -c nacre -n $in -l rebuild-rate -x -d 'Of each device, in a second'
complete -c nacre -n $in -l seed -x -d 'Of random sizes'

set -l in '__fish_seen_subcommand_from bench'
complete -c nacre -n $in -l files -x -d 'Operations of each row'
complete -c nacre -n $in -l size -x -d 'Length of the large file'
complete -c nacre -n $in -l threads -x -d 'Of create_parallel'
complete -c nacre -n $in -l only -x -d 'Only these rows'
complete -c nacre -n $in -l seed -x -d 'Of random order'
complete -c nacre -n $in -l cold-command -x -d 'Run before each cold row'

complete -c nacre -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'

complete -c nacre -n '__fish_seen_subcommand_from status history restore snapshot retention prune \
    compact check flush forget query corrupt bench; and not __fish_seen_subcommand_from tier node device cluster' \
    -l json -d 'For scripts'
