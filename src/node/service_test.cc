#include "node/service.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "node/commands.h"
#include "node/test_mounter.h"
#include "node/test_volume.h"
#include "os/temp_directory.h"

namespace nacre::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KeptEvents final : public Events {
 public:
  bool progress(const Progress&) override { return true; }
  bool item(Json item) override {
    items.push_back(std::move(item));
    return true;
  }
  std::vector<Json> items;
};

class ServiceTest : public testing::Test {
 protected:
  Result<Json> ask(const std::string& command, Json arguments = Json::object()) {
    Service service(test_.directory(), mounts_.get());
    events_.items.clear();
    return service.handle({command, std::move(arguments)}, events_);
  }
  Json answer(const std::string& command, Json arguments = Json::object()) {
    auto answer = ask(command, std::move(arguments));
    EXPECT_TRUE(answer.ok()) << command << ": " << answer.error().to_string();
    return answer.ok() ? answer.take() : Json();
  }
  Error refusal(const std::string& command, Json arguments = Json::object()) {
    auto answer = ask(command, std::move(arguments));
    EXPECT_FALSE(answer.ok()) << command;
    return answer.ok() ? Error(Code::kIo) : answer.error();
  }
  std::vector<uint64_t> item_numbers(const char* field) {
    std::vector<uint64_t> numbers;
    for (const Json& item : events_.items) numbers.push_back(item[field].get<uint64_t>());
    return numbers;
  }
  void serve_mounts() {
    mounts_ = std::make_unique<Mounts>(test_.volume(), mounter_, [] {}, 0);
    answer("mount", {{"mountpoint", "/present"}});
  }

  TestVolume test_;
  TestMounter mounter_;
  std::unique_ptr<Mounts> mounts_;
  KeptEvents events_;
};

TEST_F(ServiceTest, UnknownCommandsAndArgumentsAreRefusedByName) {
  EXPECT_EQ(refusal("explode").context(), "unknown command `explode`");
  for (const Command& command : commands()) {
    const Error refused = refusal(std::string(command.name), {{"nonsense", 1}});
    EXPECT_EQ(refused.code(), Code::kInvalid) << command.name << ": " << refused.to_string();
  }
}

TEST_F(ServiceTest, ArgumentsOfTheWrongKindAreRefused) {
  EXPECT_EQ(refusal("history").context(), "argument `path` is missing");
  EXPECT_EQ(refusal("history", {{"path", 5}}).context(), "argument `path` must be a text");
  EXPECT_EQ(refusal("check", {{"deep", "yes"}}).context(), "argument `deep` must be true or false");
  EXPECT_EQ(refusal("history", {{"path", "/a/../b"}}).code(), Code::kInvalid);
}

TEST_F(ServiceTest, StatusTellsWhatThereIs) {
  test_.write("/a", "hello");
  const Json status = answer("status");
  EXPECT_EQ(status["volume"], TestVolume::kPath);
  EXPECT_EQ(status["block_size"], 64 * kKiB);
  EXPECT_EQ(status["space"]["inodes"], 2);
  EXPECT_GT(status["space"]["available_bytes"], 0);
  EXPECT_EQ(status["devices"].size(), 1u);
  EXPECT_EQ(status["history"]["keep_ns"], int64_t{30} * 24 * 3600 * 1'000'000'000);
  EXPECT_TRUE(status["mounts"].empty());
}

TEST_F(ServiceTest, HistoryGivesEveryVersionAndWhatIsNotCommittedYet) {
  test_.write("/a", "1");
  test_.write("/a", "22");
  const Json history = answer("history", {{"path", "/a"}});
  EXPECT_EQ(history["versions"], 2);
  EXPECT_EQ(history["deleted"], false);
  EXPECT_THAT(item_numbers("size"), ElementsAre(1u, 2u));
  EXPECT_EQ(events_.items[0]["until"], events_.items[1]["time"]);
  EXPECT_TRUE(events_.items[1]["until"].is_null());
  EXPECT_EQ(events_.items[0]["mode"], "0644");
  EXPECT_EQ(refusal("history", {{"path", "/b"}}).code(), Code::kNotFound);
}

TEST_F(ServiceTest, DeletedNamesAreListed) {
  test_.write("/a", "1");
  test_.remove("/a");
  EXPECT_EQ(answer("deleted", {{"path", "/"}})["names"], 1);
  EXPECT_EQ(events_.items[0]["path"], "/a");
  EXPECT_EQ(events_.items[0]["size"], 1);
}

TEST_F(ServiceTest, PathsBelowViewsMeanWhatIsSeenThere) {
  const Sequence old = test_.write("/a", "old");
  test_.write("/a", "newer");
  answer("snapshot_create", {{"name", "now-ish"}});
  EXPECT_EQ(answer("history", {{"path", "/.nacre/at/" + std::to_string(old.value) + "/a"}})["path"],
            "/a");
  EXPECT_EQ(answer("history", {{"path", "/.nacre/snapshots/now-ish/a"}})["path"], "/a");
  EXPECT_EQ(refusal("history", {{"path", "/.nacre/at"}}).code(), Code::kInvalid);
  EXPECT_EQ(refusal("history", {{"path", "/.nacre/snapshots/none/a"}}).code(), Code::kNotFound);
  answer("restore", {{"path", "/.nacre/at/" + std::to_string(old.value) + "/a"}});
  EXPECT_EQ(test_.read("/a"), "old");
}

TEST_F(ServiceTest, AFileIsRestoredInPlaceByVersionOrMoment) {
  const Sequence first = test_.write("/a", "1");
  test_.change_mode("/a", 0600);
  const InodeId ino = test_.find("/a");
  test_.write("/a", "22");
  EXPECT_EQ(answer("restore", {{"path", "/a"}, {"version", 1}})["restored"], 1);
  EXPECT_EQ(test_.read("/a"), "1");
  EXPECT_EQ(test_.attr("/a").mode, 0644u);
  EXPECT_EQ(test_.find("/a"), ino);
  answer("restore", {{"path", "/a"}, {"at", std::to_string(first.value + 2)}});
  EXPECT_EQ(test_.read("/a"), "22");
}

TEST_F(ServiceTest, ADeletedFileComesBackWithItsDirectoriesAndAttributes) {
  test_.make_directory("/d");
  test_.change_mode("/d", 0711);
  test_.write("/d/a", "hello");
  test_.set_xattr("/d/a", "user.colour", "blue");
  const Timestamp mtime = test_.attr("/d/a").mtime;
  test_.remove("/d/a");
  test_.remove("/d");
  answer("restore", {{"path", "/d/a"}, {"version", 1}});
  EXPECT_EQ(test_.read("/d/a"), "hello");
  EXPECT_EQ(test_.attr("/d/a").mtime, mtime);
  EXPECT_EQ(test_.attr("/d").mode, 0711u);
  answer("restore", {{"path", "/d/a"}, {"version", 2}, {"force", true}});
  fs::LiveTree tree(test_.volume());
  EXPECT_EQ(*tree.get_xattr(test_.find("/d/a"), "user.colour"), "blue");
}

TEST_F(ServiceTest, ATreeIsRestoredWithItsLinksAndSymlinks) {
  test_.make_directory("/d");
  test_.make_directory("/d/e");
  test_.write("/d/a", "one");
  test_.link("/d/a", "/d/e/also-a");
  const Sequence full = test_.make_symlink("/d/s", "a");
  test_.write("/d/a", "changed");
  test_.remove("/d/e/also-a");
  test_.remove("/d/e");
  test_.remove("/d/s");
  const Json restored =
      answer("restore", {{"path", "/d"}, {"at", std::to_string(full.value)}, {"to", "/copy"}});
  EXPECT_EQ(restored["restored"], 5);
  EXPECT_EQ(test_.read("/copy/a"), "one");
  EXPECT_EQ(test_.read("/copy/s"), "a");
  EXPECT_EQ(test_.find("/copy/e/also-a"), test_.find("/copy/a"));
  EXPECT_EQ(test_.attr("/copy/a").nlink, 2u);
  EXPECT_EQ(test_.read("/d/a"), "changed");
  answer("restore", {{"path", "/d"}, {"at", std::to_string(full.value)}});
  EXPECT_EQ(test_.read("/d/a"), "one");
  EXPECT_EQ(test_.read("/d/s"), "a");
}

TEST_F(ServiceTest, NothingThatExistsIsOverwrittenWithoutForce) {
  test_.write("/a", "1");
  test_.write("/a", "22");
  test_.write("/b", "precious");
  const Error refused = refusal("restore", {{"path", "/a"}, {"version", 1}, {"to", "/b"}});
  EXPECT_EQ(refused.code(), Code::kExists);
  EXPECT_THAT(refused.context(), HasSubstr("/b exists"));
  EXPECT_EQ(test_.read("/b"), "precious");
  answer("restore", {{"path", "/a"}, {"version", 1}, {"to", "/b"}, {"force", true}});
  EXPECT_EQ(test_.read("/b"), "1");
}

TEST_F(ServiceTest, AFileThatBecameADirectoryIsNotReplacedUnasked) {
  test_.write("/a", "1");
  test_.remove("/a");
  test_.make_directory("/a");
  test_.write("/a/inside", "x");
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 1}}).code(), Code::kExists);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 1}, {"force", true}}).code(),
            Code::kNotEmpty);
  test_.remove("/a/inside");
  answer("restore", {{"path", "/a"}, {"version", 1}, {"force", true}});
  EXPECT_EQ(test_.read("/a"), "1");
}

TEST_F(ServiceTest, AConflictDeepInATreeIsFoundBeforeAnythingChanges) {
  test_.make_directory("/d");
  test_.write("/d/a", "1");
  test_.write("/d/z", "1");
  const Sequence old = test_.commit();
  test_.write("/d/a", "changed");
  test_.remove("/d/z");
  test_.make_directory("/d/z");
  EXPECT_EQ(refusal("restore", {{"path", "/d"}, {"at", std::to_string(old.value)}}).code(),
            Code::kExists);
  EXPECT_EQ(test_.read("/d/a"), "changed");
}

TEST_F(ServiceTest, TheWholeVolumeCanBeRestored) {
  const Sequence old = test_.write("/a", "1");
  test_.write("/a", "22");
  test_.write("/b", "new");
  answer("restore", {{"path", "/"}, {"at", std::to_string(old.value)}});
  EXPECT_EQ(test_.read("/a"), "1");
  EXPECT_EQ(test_.read("/b"), "new");
}

TEST_F(ServiceTest, FilesAndTreesAreCopiedOutOfTheVolume) {
  const os::TempDirectory temp;
  test_.make_directory("/d");
  test_.write("/d/a", "hello");
  test_.change_mode("/d/a", 0640);
  test_.link("/d/a", "/d/b");
  test_.make_symlink("/d/s", "a");
  const Timestamp mtime = test_.attr("/d/a").mtime;
  const std::string to = temp / "out";
  const Json arguments = {{"path", "/d"}, {"at", "now"}, {"to_host", to}};
  EXPECT_EQ(answer("restore", arguments)["restored"], 4);
  EXPECT_EQ(std::filesystem::file_size(to + "/a"), 5u);
  EXPECT_EQ(std::filesystem::hard_link_count(to + "/b"), 2u);
  EXPECT_EQ(std::filesystem::read_symlink(to + "/s"), "a");
  EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(to + "/a").permissions()), 0640u);
  struct stat status = {};
  ASSERT_EQ(::stat((to + "/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, mtime.ns / 1'000'000'000);
  EXPECT_EQ(refusal("restore", arguments).code(), Code::kExists);
  Json forced = arguments;
  forced["force"] = true;
  answer("restore", forced);
}

TEST_F(ServiceTest, RestoringNeedsOneSourceAndOnePlace) {
  test_.write("/a", "1");
  EXPECT_EQ(refusal("restore", {{"path", "/a"}}).code(), Code::kInvalid);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 1}, {"at", "now"}}).code(),
            Code::kInvalid);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 9}}).code(), Code::kNotFound);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"at", "1"}}).code(), Code::kNotFound);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"at", "no-such-snapshot"}}).code(),
            Code::kNotFound);
  EXPECT_EQ(
      refusal("restore", {{"path", "/a"}, {"version", 1}, {"to", "/b"}, {"to_host", "/c"}}).code(),
      Code::kInvalid);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 1}, {"to_host", "here"}}).code(),
            Code::kInvalid);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 1}, {"to", "/.nacre"}}).code(),
            Code::kInvalid);
  answer("restore", {{"path", "/a"}, {"version", 1}, {"to", "/no/where"}});
  EXPECT_EQ(test_.read("/no/where"), "1");
}

TEST_F(ServiceTest, SnapshotsAreMadeListedAndDeleted) {
  test_.write("/a", "1");
  const Json made = answer("snapshot_create", {{"name", "before"}});
  test_.write("/a", "22");
  EXPECT_EQ(refusal("snapshot_create", {{"name", "before"}}).code(), Code::kExists);
  EXPECT_EQ(refusal("snapshot_create", {{"name", "a/b"}}).code(), Code::kInvalid);
  EXPECT_EQ(refusal("snapshot_create", {{"name", "yesterday"}}).code(), Code::kInvalid);
  const Json unnamed = answer("snapshot_create");
  EXPECT_THAT(unnamed["name"].get<std::string>(), HasSubstr("snapshot-20"));
  EXPECT_NE(answer("snapshot_create")["name"], unnamed["name"]);
  EXPECT_EQ(answer("snapshot_list")["snapshots"].size(), 3u);
  answer("restore", {{"path", "/a"}, {"at", "before"}});
  EXPECT_EQ(test_.read("/a"), "1");
  answer("snapshot_delete", {{"name", "before"}});
  EXPECT_EQ(refusal("snapshot_delete", {{"name", "before"}}).code(), Code::kNotFound);
  EXPECT_EQ(answer("snapshot_list")["snapshots"].size(), 2u);
}

TEST_F(ServiceTest, RetentionIsShownSetAndObeyed) {
  const Sequence old = test_.write("/a", "1");
  test_.write("/a", "22");
  EXPECT_EQ(refusal("retention_set").code(), Code::kInvalid);
  EXPECT_EQ(refusal("retention_set", {{"budget_percent", 101}}).code(), Code::kInvalid);
  EXPECT_EQ(
      answer("retention_set", {{"keep_ns", 1'000'000'000}, {"budget_percent", 50}})["keep_ns"],
      1'000'000'000);
  EXPECT_EQ(answer("retention_show")["budget_percent"], 50);
  test_.clock().advance(int64_t{3600} * 1'000'000'000);
  EXPECT_GT(answer("prune")["dropped"], 0);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"at", std::to_string(old.value)}}).code(),
            Code::kBelowFloor);
  answer("confirm_clock");
}

TEST_F(ServiceTest, PruningBeforeAMomentKeepsWhatFollows) {
  test_.write("/a", "1");
  const Sequence second = test_.write("/a", "22");
  test_.write("/a", "333");
  answer("prune", {{"before", std::to_string(second.value)}});
  answer("history", {{"path", "/a"}});
  EXPECT_THAT(item_numbers("size"), ElementsAre(2u, 3u));
}

TEST_F(ServiceTest, AForgottenFilesPastIsGoneAndItsPresentStays) {
  test_.write("/a", "secret");
  test_.write("/a", "fine");
  test_.write("/b", "deleted secret");
  test_.remove("/b");
  EXPECT_EQ(answer("forget", {{"path", "/a"}})["present"], true);
  EXPECT_EQ(test_.read("/a"), "fine");
  EXPECT_EQ(answer("forget", {{"path", "/b"}})["present"], false);
  EXPECT_EQ(refusal("history", {{"path", "/b"}}).code(), Code::kNotFound);
  EXPECT_EQ(refusal("forget", {{"path", "/b"}}).code(), Code::kNotFound);
  EXPECT_EQ(refusal("forget", {{"path", "/"}}).code(), Code::kIsDirectory);
}

TEST_F(ServiceTest, ASoundVolumeHasNoProblems) {
  test_.write("/a", std::string(300'000, 'x'));
  for (const bool deep : {false, true}) {
    const Json checked = answer("check", {{"deep", deep}});
    EXPECT_EQ(checked["problems"], 0);
    EXPECT_EQ(checked["inodes"], 2);
  }
  EXPECT_EQ(answer("compact")["damaged"], 0);
}

TEST_F(ServiceTest, ADamagedSuperblockIsFoundAndRepaired) {
  test_.close();
  ASSERT_TRUE(test_.disk().rot(std::string(TestVolume::kPath) + "/nacre.volume", 30).ok());
  test_.open();
  const Json checked = answer("check");
  EXPECT_EQ(checked["problems"], 1);
  EXPECT_EQ(checked["repaired"], 0);
  EXPECT_THAT(events_.items[0]["what"].get<std::string>(), HasSubstr("checksum"));
  EXPECT_EQ(answer("check", {{"repair", true}})["repaired"], 1);
  EXPECT_EQ(answer("check")["problems"], 0);
}

TEST_F(ServiceTest, AVolumeOpenReadOnlyIsReadAndNotChanged) {
  test_.write("/a", "1");
  test_.write("/a", "22");
  test_.close();
  test_.open(true);
  answer("history", {{"path", "/a"}});
  answer("check", {{"deep", true}});
  answer("flush");
  for (const char* command : {"snapshot_create", "snapshot_delete", "retention_set", "prune",
                              "forget", "compact", "confirm_clock"}) {
    EXPECT_EQ(refusal(command).code(), Code::kReadOnly) << command;
  }
  EXPECT_EQ(refusal("check", {{"repair", true}}).code(), Code::kReadOnly);
  EXPECT_EQ(refusal("restore", {{"path", "/a"}, {"version", 1}}).code(), Code::kReadOnly);
  const os::TempDirectory temp;
  answer("restore", {{"path", "/a"}, {"version", 1}, {"to_host", temp / "a"}});
}

TEST_F(ServiceTest, WithoutADaemonNothingIsMounted) {
  EXPECT_EQ(refusal("mount", {{"mountpoint", "/m"}}).code(), Code::kInvalid);
  EXPECT_EQ(refusal("unmount", {{"mountpoint", "/m"}}).code(), Code::kInvalid);
}

TEST_F(ServiceTest, MountsAreMadeNamedAndTakenAway) {
  const Sequence old = test_.write("/a", "old");
  test_.write("/a", "newer");
  serve_mounts();
  answer("mount", {{"mountpoint", "/past"}, {"at", std::to_string(old.value)}});
  EXPECT_EQ(refusal("mount", {{"mountpoint", "/late"}, {"at", "never-made"}}).code(),
            Code::kNotFound);
  EXPECT_EQ(answer("status")["mounts"].size(), 2u);
  EXPECT_EQ(answer("status")["mounts"][1]["at"], old.value);
  EXPECT_TRUE(mounter_.at("/past").plan.read_only);
  answer("restore", {{"path", "/a"}, {"mountpoints", {"/past"}}});
  EXPECT_EQ(test_.read("/a"), "old");
  EXPECT_THAT(mounter_.at("/present").changed_paths, ElementsAre("a"));
  EXPECT_EQ(answer("unmount", {{"mountpoint", "/past"}})[kClosingField], false);
  EXPECT_EQ(answer("unmount", {{"mountpoint", "/present"}})[kClosingField], true);
}

TEST_F(ServiceTest, PathsOfAMountThatIsNotServedAreNotFound) {
  serve_mounts();
  EXPECT_EQ(refusal("history", {{"path", "/a"}, {"mountpoints", {"/elsewhere"}}}).code(),
            Code::kNotFound);
}

TEST_F(ServiceTest, CommandsSeeWhatTheKernelStillHeld) {
  serve_mounts();
  test_.write("/a", "1");
  for (const char* command : {"flush", "snapshot_create", "check"}) {
    const int before = mounter_.at("/present").write_backs;
    answer(command);
    EXPECT_EQ(mounter_.at("/present").write_backs, before + 1) << command;
  }
}

TEST_F(ServiceTest, TheKernelIsToldOfNamesThatComeBack) {
  test_.write("/a", "1");
  test_.remove("/a");
  serve_mounts();
  answer("restore", {{"path", "/a"}, {"version", 1}});
  EXPECT_THAT(mounter_.at("/present").forgotten_names, ElementsAre("a"));
}

}  // namespace
}  // namespace nacre::node
