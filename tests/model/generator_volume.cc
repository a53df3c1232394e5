// What is done to a volume as a whole, and what programs are fond of doing one after the other.
#include <algorithm>

#include "model/generator.h"

namespace nacre::model {

Operation Generator::habit() {
  const std::string path = new_entry();
  Operation first = make(Kind::kCreate, path);
  first.value = 0644;
  Operation write = make(Kind::kWrite, path);
  switch (below(!profile_.volume ? 4 : profile_.faults ? 6 : 5)) {
    case 0: {  // a new file replaces an old one
      write.value = 1 + below(250);
      write.length = length();
      Operation rename = make(Kind::kRename, path);
      rename.to = file();
      habit_ = {write, rename};
      break;
    }
    case 1:  // a log grows
      for (uint64_t i = 0; i < 6; ++i) {
        write.value = 1 + below(250);
        write.length = 1 + below(300);
        habit_.push_back(write);
        write.offset += write.length;
      }
      break;
    case 2: {  // a directory is removed while somebody is in it
      first.kind = Kind::kMkdir;
      first.value = 0755;
      Operation hold = make(Kind::kHold, path);
      hold.value = below(kSlots);
      habit_ = {hold, make(Kind::kRmdir, path),
                make(Kind::kCreate, "@" + std::to_string(hold.value) + "/" + name())};
      break;
    }
    case 3: {  // one empty directory replaces another
      first.kind = Kind::kMkdir;
      first.value = 0755;
      Operation rename = make(Kind::kRename, directory());
      rename.to = path;
      habit_ = {rename};
      break;
    }
    case 4: {  // little is left of a block, and all the room that can be made is
      write.value = 1 + below(250);
      write.length = profile_.block_bytes;
      Operation again = write;
      again.value = 1 + below(250);
      again.length = profile_.block_bytes / 4 * 3;
      Operation prune = make(Kind::kPrune, "");
      prune.value = model_.moments().size() + 1;
      habit_ = {write, make(Kind::kCommit, ""), again, make(Kind::kCommit, "")};
      for (const Operation& duty :
           {prune, make(Kind::kCompact, ""), make(Kind::kClean, ""), make(Kind::kTick, "")}) {
        if (profile_.power && chance(25)) habit_.push_back(power_cut());
        if (duty.kind != Kind::kPrune || profile_.prune) habit_.push_back(duty);
      }
      break;
    }
    default: {  // the end comes while a commit fails
      write.length = length();
      Operation fault = make(Kind::kFault, "");
      fault.value = 1 + below(3);
      fault.extra = below(2);
      habit_ = {write, fault, make(Kind::kCommit, "")};
      if (chance(50)) habit_.push_back(make(Kind::kAbandon, ""));
    }
  }
  return first;
}

Operation Generator::power_cut() {
  Operation operation = make(Kind::kPowerCut, "");
  operation.value = 1 + below(chance(30) ? 100 : 25);
  if (chance(30)) operation.extra = 1 + below(20);
  return operation;
}

Operation Generator::upkeep_operation() {
  const Kind kinds[] = {Kind::kTick, Kind::kCompact, Kind::kClean, Kind::kPrune, Kind::kUnpin};
  Operation operation = make(kinds[below(5)], "");
  if (operation.kind == Kind::kUnpin) operation.value = 1 + below(snapshots_);
  if (operation.kind == Kind::kPrune) {
    const uint64_t moments = model_.moments().size();
    if (moments == 0 || !profile_.prune) return make(Kind::kTick, "");
    operation.value = moments - 1 - std::min(below(moments), below(moments));
  }
  return operation;
}

Operation Generator::volume_operation() {
  const uint64_t choice = below(100);
  if (choice < 30) return make(Kind::kSync, existing(chance(80)));
  if (!profile_.volume) return make(Kind::kCheck, "");
  if (choice < 70) return make(Kind::kCommit, "");
  if (choice < 76) {
    Operation operation = make(Kind::kSnapshot, "");
    operation.value = ++snapshots_;
    return operation;
  }
  if (choice < 82) return make(Kind::kStatfs, "");
  if (choice < 90 && profile_.faults) {
    Operation operation = make(Kind::kFault, "");
    operation.value = 1 + below(3);
    operation.extra = below(2);
    return operation;
  }
  if (choice < 96) return upkeep_operation();
  if (choice < 98 || !profile_.abandon) return make(Kind::kReopen, "");
  return make(Kind::kAbandon, "");
}

}  // namespace nacre::model
