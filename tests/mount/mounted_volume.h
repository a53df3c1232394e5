// A volume that is mounted by the command nacre, and what can be asked of its daemon. For one
// thread.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "node/json.h"

namespace nacre::mount_test {

class MountedVolume {
 public:
  // It is mounted, with these words of `nacre mount` besides directory and mountpoint.
  MountedVolume(std::string nacre, std::string directory, std::string mountpoint,
                std::vector<std::string> mount_words)
      : nacre_(std::move(nacre)),
        directory_(std::move(directory)),
        mountpoint_(std::move(mountpoint)),
        mount_words_(std::move(mount_words)) {}

  // Nothing on it is open.
  Status remount();
  // The daemon is gone on return, and the mount answers ENOTCONN until it is mounted again.
  Status kill();

  // Makes everything durable, also what the kernel holds. Returns the commit that has it.
  Result<Sequence> flush();
  // The moment that the snapshot shows.
  Result<Sequence> make_snapshot(const std::string& name);
  Status delete_snapshot(const std::string& name);
  Status compact();
  // What is below that path goes to the bucket, the smallest files too, and leaves the disk.
  Status evict(const std::string& path);
  // Gives up history before a moment. Returns the first that is left, but for snapshots.
  Result<Sequence> prune(Sequence before);

 private:
  Status run(const std::vector<std::string>& words);
  Result<node::Json> ask(const std::string& command, node::Json arguments);
  Result<Sequence> ask_for_sequence(const std::string& command, node::Json arguments,
                                    const char* field);

  const std::string nacre_;
  const std::string directory_;
  const std::string mountpoint_;
  const std::vector<std::string> mount_words_;
};

}  // namespace nacre::mount_test
