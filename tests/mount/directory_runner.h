// Runs scripts of the model by system calls below a directory: what programs see of a mount, the
// kernel and its caches included. For one thread, as root and with the umask of the oracle.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/runner.h"
#include "model/tree_dump.h"
#include "os/fd.h"

namespace nacre::mount_test {

class DirectoryRunner final : public model::Runner {
 public:
  // `root` exists and is empty at first. `moments` holds the directory in which each moment that
  // the oracle remembers can be read; it outlives the runner.
  DirectoryRunner(std::string root, const std::vector<std::string>& moments,
                  const model::Aspects& aspects);

  std::string run(const model::Operation& operation) override;
  Result<std::vector<std::string>> scan_on(size_t slot, size_t count, bool& at_end) override;
  model::Dump dump(const model::Aspects& aspects) override { return dump(aspects, nullptr); }
  // Every second time what the kernel has cached of the files is given up before.
  model::Dump dump(const model::Aspects& aspects, model::Inodes* inodes);
  model::Dump dump_past(size_t moment, const model::Aspects& aspects);

 private:
  // What holds a node: open for reading and writing where it can be, or else only a place (O_PATH).
  struct Slot {
    os::Fd fd;
    bool is_open = false;
  };
  // A directory and a name in it; without a name: the node that the descriptor is of.
  struct Place {
    os::Fd at;
    std::string name;
  };
  // These set errno and return nothing when they fail. Names are looked up one by one, and symlinks
  // are not followed.
  std::optional<Place> resolve(const std::string& path);
  os::Fd start_of(const model::ParsedPath& path);
  os::Fd node_of(const std::string& path);
  os::Fd open(const std::string& path, int flags);
  // The slot that the path is, if that is open.
  const Slot* open_slot(const std::string& path) const;

  std::string run_names(const model::Operation& operation);
  std::string run_content(const model::Operation& operation);
  std::string run_attributes(const model::Operation& operation);
  std::string run_handles(const model::Operation& operation);
  std::string make(const model::Operation& operation);
  std::string link(const model::Operation& operation);
  std::string rename(const model::Operation& operation);
  std::string write(const model::Operation& operation);
  std::string read(const model::Operation& operation);
  std::string truncate(const model::Operation& operation);
  std::string allocate(const model::Operation& operation);
  std::string copy(const model::Operation& operation);
  std::string set_times(const model::Operation& operation);
  std::string run_xattrs(const model::Operation& operation);
  std::string list(const model::Operation& operation);
  std::string hold(const model::Operation& operation);
  std::string sync(const model::Operation& operation);

  const std::string root_;
  const std::vector<std::string>& moments_;
  const model::Aspects aspects_;
  std::array<std::optional<Slot>, model::kSlots> slots_;
  std::array<os::Fd, model::kSlots> scans_;
  size_t dumps_ = 0;
};

}  // namespace nacre::mount_test
