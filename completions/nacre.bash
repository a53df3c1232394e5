# Completion of nacre(1) for bash.

_nacre_options() {
  case $1 in
    'volume create')
      echo "--block-size --compress --dedup --capacity --device $(_nacre_options bucket)"
      ;;
    'volume recover') echo "--at $(_nacre_options bucket)" ;;
    bucket)
      echo '--force --remote --endpoint --region --credentials --ca-file --cache-size --offline
        --virtual-hosted --sync-remote --encrypt --key-file'
      ;;
    'volume set')
      echo '--cache-size --offline --sync-remote --credentials --passphrase --key-file --json'
      ;;
    'volume destroy') echo '--remote --yes --force --json' ;;
    mount) echo '-f --foreground -s --single-threaded --read-only --at -o' ;;
    unmount) echo '--lazy' ;;
    status | flush | compact) echo '--json' ;;
    history) echo '--deleted -r --recursive --json' ;;
    restore) echo '--at --version --to --force --json' ;;
    'snapshot create' | 'snapshot list' | 'snapshot delete') echo '--json' ;;
    'retention set') echo '--keep --budget --json' ;;
    'retention show' | 'retention confirm-clock') echo '--json' ;;
    prune) echo '--before --json' ;;
    check) echo '--deep --repair --json' ;;
    forget) echo '--yes --json' ;;
    'tier status') echo '--watch --json --prometheus' ;;
    'tier flush' | 'tier pause' | 'tier resume' | 'tier compact' | 'tier evict' | 'tier fetch' | 'tier pin' | 'tier unpin') echo '--json' ;;
    'node start')
      echo "$(_nacre_options 'node join') --etcd --insecure"
      ;;
    'node join')
      echo '--data --listen --advertise --zone --name --etcd-grace --out-after --scrub-grace
        --metrics --log-level --log-size --log-files --no-device -f --foreground'
      ;;
    'node token') echo '--data --ttl --client' ;;
    'node list' | 'node status') echo '--data --json' ;;
    'node forget' | 'node stop') echo '--data' ;;
    'device add') echo '--data --size --force --json' ;;
    'device list' | 'device query') echo '--data --json' ;;
    'device remove') echo '--data --failed' ;;
    put) echo '--code --copies' ;;
    get) echo '--offset --length' ;;
    query) echo '--json' ;;
    corrupt) echo '--flip --drop --bytes --offset --block --fragment --yes --json' ;;
    'cluster status') echo '--watch --json' ;;
    'cluster simulate')
      echo '--nodes --devices-per-node --zones --code --copies --device-size --afr --rebuild-rate
        --seed --json'
      ;;
    bench) echo '--json --files --size --threads --only --seed --cold-command' ;;
  esac
}

_nacre() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} choices=''
  case $command in
    volume) choices='create recover set destroy' ;;
    snapshot) choices='create list delete' ;;
    retention) choices='show set confirm-clock' ;;
    tier) choices='status flush pause resume compact evict fetch pin unpin worker' ;;
    node) choices='start join token list status forget stop' ;;
    device) choices='add list query remove' ;;
    cluster) choices='status login simulate' ;;
    completion) choices='bash zsh fish' ;;
  esac

  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    choices='volume mount unmount status history restore snapshot retention prune compact check
      flush forget tier node device put get query delete corrupt cluster bench completion --help
      --version'
  elif [ "$COMP_CWORD" -ne 2 ] || [ -z "$choices" ]; then
    [ -n "$choices" ] && [ "$command" != completion ] && command="$command ${COMP_WORDS[2]}"
    case $before in
      --compress) choices='none lz4 zstd' ;;
      --offline) choices='fail wait' ;;
      --code) choices='4+2 8+3 10+4' ;;
      --ttl) choices='1h 24h 7d' ;;
      --metrics) choices='off' ;;
      --log-level) choices='trace debug info warn error off' ;;
      --etcd) choices='supervised' ;;
      --at | --before) choices='now yesterday' ;;
      -o) choices='ro noatime allow_other' ;;
      *) choices='' ;;
    esac
    # Without words of ours the shell completes file names.
    case $word in
      -*) choices="$(_nacre_options "$command") --help" ;;
    esac
  fi
  [ -n "$choices" ] || return 0
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}

complete -o default -o bashdefault -F _nacre nacre
