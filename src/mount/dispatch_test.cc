#include "mount/dispatch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "mount/test_port.h"
#include "mount/test_tree.h"

namespace nacre::mount {
namespace {

const std::string kGetattr = bytes_of(fuse_getattr_in{});

class Dispatch : public testing::Test {
 protected:
  TestPort::Answer ask(uint32_t opcode, InodeId node, std::string_view arguments) {
    const size_t before = port_.answers().size();
    tell(opcode, node, arguments);
    const auto answers = port_.answers();
    EXPECT_EQ(answers.size(), before + 1) << name_of_opcode(opcode);
    return answers.empty() ? TestPort::Answer{} : answers.back();
  }
  void tell(uint32_t opcode, InodeId node, std::string_view arguments) {
    dispatch(session_, as_bytes(message(opcode, node, arguments)), port_,
             as_writable_bytes(buffer_), counts_);
  }
  fuse_entry_out look_up(InodeId parent, std::string_view name) {
    return ask(FUSE_LOOKUP, parent, name_arg(name)).as<fuse_entry_out>();
  }
  // A node that nothing refers to but its name.
  InodeId make(std::string_view name, meta::FileType type = meta::FileType::kRegular) {
    fs::NewNode node;
    node.type = type;
    node.mode = 0755;
    const InodeId ino = tree_.make_node({}, kRootInode, name, node)->attr.ino;
    tree_.forget(ino, 1);
    return ino;
  }

  TestTree tree_;
  TestPort port_;
  Notifier notifier_{port_};
  Session session_{.tree = tree_,
                   .notifier = notifier_,
                   .features = {.dialect = {.setxattr_ext = true}, .no_open = true},
                   .cache_missing_names = true,
                   .uncached = {},
                   .listers = {}};
  RequestCounts counts_;
  std::string buffer_ = std::string(1 << 20, '\0');
};

TEST_F(Dispatch, EveryOperationAnswersMalformedArgumentsOrNeedsNone) {
  for (uint32_t opcode = 0; opcode < 70; ++opcode) {
    const std::string name = name_of_opcode(opcode);
    if (name.starts_with("opcode") || name == "NOTIFY_REPLY" || name.ends_with("FORGET")) continue;
    const int error = ask(opcode, kRootInode, "").error_number;
    const bool takes_none = name == "STATFS" || name == "DESTROY";
    const bool refused = error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
    EXPECT_TRUE(takes_none ? error == 0 : refused) << name << " " << error;
  }
}

TEST_F(Dispatch, OperationsNobodyKnowsAreNotAskedForAgain) {
  EXPECT_EQ(ask(63, kRootInode, "").error_number, ENOSYS);
  EXPECT_EQ(ask(4096, kRootInode, "").error_number, ENOSYS);
  EXPECT_EQ(ask(UINT32_MAX, kRootInode, "").error_number, ENOSYS);
  for (const uint32_t opcode : {FUSE_FLUSH, FUSE_ACCESS, FUSE_TMPFILE, FUSE_IOCTL, FUSE_SETLK}) {
    EXPECT_EQ(ask(opcode, kRootInode, "").error_number, ENOSYS);
  }
}

TEST_F(Dispatch, FilesAreOpenedForKernelsThatInsist) {
  const std::string wire = bytes_of(fuse_open_in{});
  EXPECT_EQ(ask(FUSE_OPEN, kRootInode, wire).error_number, ENOSYS);
}

TEST_F(Dispatch, OneReaderOfADirectoryAtATimeHasTheKernelsCacheOfIt) {
  const auto open_directory = [this] {
    return ask(FUSE_OPENDIR, kRootInode, bytes_of(fuse_open_in{})).as<fuse_open_out>();
  };
  const auto close_directory = [this](const fuse_open_out& opened) {
    fuse_release_in wire = {};
    wire.fh = opened.fh;
    EXPECT_EQ(ask(FUSE_RELEASEDIR, kRootInode, bytes_of(wire)).error_number, 0);
  };
  const fuse_open_out first = open_directory();
  const fuse_open_out second = open_directory();
  EXPECT_NE(first.open_flags & FOPEN_CACHE_DIR, 0u);
  EXPECT_EQ(second.open_flags & FOPEN_CACHE_DIR, 0u);
  close_directory(second);
  EXPECT_EQ(open_directory().open_flags & FOPEN_CACHE_DIR, 0u);
  close_directory(first);
  EXPECT_NE(open_directory().open_flags & FOPEN_CACHE_DIR, 0u);
}

TEST_F(Dispatch, ForgettingHasNoAnswerHoweverMalformed) {
  tell(FUSE_FORGET, kRootInode, "");
  tell(FUSE_BATCH_FORGET, kRootInode, bytes_of(fuse_batch_forget_in{.count = 9, .dummy = 0}));
  tell(FUSE_FORGET, InodeId{12345}, bytes_of(fuse_forget_in{.nlookup = 1}));
  EXPECT_TRUE(port_.answers().empty());
}

TEST_F(Dispatch, AMissingNameIsKeptUnlessTheDirectoryIsNot) {
  EXPECT_GT(look_up(kRootInode, "missing").entry_valid, 0u);
  const fuse_entry_out fleeting = [this] {
    make("fleeting", meta::FileType::kDirectory);
    return look_up(kRootInode, "fleeting");
  }();
  EXPECT_EQ(fleeting.entry_valid, 0u);
  EXPECT_EQ(fleeting.attr_valid, 0u);
  EXPECT_EQ(ask(FUSE_LOOKUP, InodeId{fleeting.nodeid}, name_arg("missing")).error_number, ENOENT);
  EXPECT_EQ(ask(FUSE_GETATTR, InodeId{fleeting.nodeid}, kGetattr).as<fuse_attr_out>().attr_valid,
            0u);
}

TEST_F(Dispatch, AnInodeMayBeKeptAgainOnceItIsForgotten) {
  const InodeId ino = make("fleeting");
  look_up(kRootInode, "fleeting");
  look_up(kRootInode, "fleeting");
  const auto valid = [&] {
    return ask(FUSE_GETATTR, ino, kGetattr).as<fuse_attr_out>().attr_valid;
  };
  tell(FUSE_FORGET, ino, bytes_of(fuse_forget_in{.nlookup = 1}));
  EXPECT_EQ(valid(), 0u);
  tell(FUSE_FORGET, ino, bytes_of(fuse_forget_in{.nlookup = 1}));
  EXPECT_GT(valid(), 0u);
}

TEST_F(Dispatch, WhileSpaceIsScarceTheKernelAsksAboutFilesButKeepsNames) {
  make("file");
  make("directory", meta::FileType::kDirectory);
  Session session{.tree = tree_,
                  .notifier = notifier_,
                  .features = {.dialect = {.setxattr_ext = true}, .write_back = true},
                  .cache_missing_names = true,
                  .uncached = {},
                  .listers = {}};
  const auto looked_up = [&](std::string_view name) {
    dispatch(session, as_bytes(message(FUSE_LOOKUP, kRootInode, name_arg(name))), port_,
             as_writable_bytes(buffer_), counts_);
    return port_.answers().back().as<fuse_entry_out>();
  };
  EXPECT_GT(looked_up("file").attr_valid, 0u);
  tree_.set_scarce(true);
  EXPECT_EQ(looked_up("file").attr_valid, 0u);
  EXPECT_GT(looked_up("file").entry_valid, 0u);
  EXPECT_GT(looked_up("directory").attr_valid, 0u);
  EXPECT_GT(look_up(kRootInode, "file").attr_valid, 0u) << "without write-back it need not ask";
}

TEST_F(Dispatch, CreatingWhatExistsMakesTheKernelLookAgain) {
  make("there");
  fuse_create_in wire = {
      .flags = O_CREAT | O_RDWR, .mode = S_IFREG | 0644, .umask = 022, .open_flags = 0};
  EXPECT_EQ(ask(FUSE_CREATE, kRootInode, bytes_of(wire) + name_arg("there")).error_number, ESTALE);
  wire.flags |= O_EXCL;
  EXPECT_EQ(ask(FUSE_CREATE, kRootInode, bytes_of(wire) + name_arg("there")).error_number, EEXIST);
  const auto made = ask(FUSE_CREATE, kRootInode, bytes_of(wire) + name_arg("new"));
  EXPECT_EQ(made.error_number, 0);
  EXPECT_EQ(made.bytes.size(), sizeof(fuse_entry_out) + sizeof(fuse_open_out));
  EXPECT_EQ(made.as<fuse_entry_out>().attr.mode, uint32_t{S_IFREG} | 0644);
}

TEST_F(Dispatch, ADirectoryIsReadInPiecesAndOnlyPackedEntriesCount) {
  for (int i = 0; i < 50; ++i) make("file" + std::to_string(i));
  fuse_read_in wire = {};
  wire.size = 1000;
  size_t seen = 0;
  while (true) {
    const auto answer = ask(FUSE_READDIRPLUS, kRootInode, bytes_of(wire));
    ASSERT_EQ(answer.error_number, 0);
    if (answer.bytes.empty()) break;
    for (size_t at = 0; at < answer.bytes.size();) {
      fuse_direntplus entry = {};
      std::memcpy(&entry, answer.bytes.data() + at, sizeof(entry));
      at += FUSE_DIRENTPLUS_SIZE(&entry);
      wire.offset = entry.dirent.off;
      ++seen;
      const InodeId node{entry.entry_out.nodeid};
      if (node.value != 0) tell(FUSE_FORGET, node, bytes_of(fuse_forget_in{.nlookup = 1}));
    }
  }
  EXPECT_EQ(seen, 52u);
  // Had more been counted than was given back, unlinked files would stay.
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(tree_.unlink(kRootInode, "file" + std::to_string(i)).ok());
  }
  EXPECT_EQ(tree_.node_count(), 1u);
}

TEST_F(Dispatch, ADirectoryThatIsPackedHoldsItsFiles) {
  const InodeId ino = make("file");
  fuse_read_in wire = {};
  wire.size = 1000;
  ask(FUSE_READDIRPLUS, kRootInode, bytes_of(wire));
  ASSERT_TRUE(tree_.unlink(kRootInode, "file").ok());
  EXPECT_EQ(tree_.node_count(), 2u);
  tell(FUSE_FORGET, ino, bytes_of(fuse_forget_in{.nlookup = 1}));
  EXPECT_EQ(tree_.node_count(), 1u);
}

TEST_F(Dispatch, ABufferTooSmallForOneEntryIsNotTheEnd) {
  fuse_read_in wire = {};
  wire.size = 8;
  EXPECT_EQ(ask(FUSE_READDIR, kRootInode, bytes_of(wire)).error_number, EINVAL);
}

TEST_F(Dispatch, ReadingMoreThanABufferHoldsIsRefused) {
  const InodeId ino = make("file");
  fuse_read_in wire = {};
  wire.size = 1 << 20;
  EXPECT_EQ(ask(FUSE_READ, ino, bytes_of(wire)).error_number, 0);
  wire.size += 1;
  EXPECT_EQ(ask(FUSE_READ, ino, bytes_of(wire)).error_number, EINVAL);
}

TEST_F(Dispatch, AttributesThatDoNotFitAreSized) {
  const InodeId ino = make("file");
  ASSERT_TRUE(tree_.set_xattr(ino, "user.a", "0123456789", fs::XattrMode::kSet, false).ok());
  const auto get = [&](uint32_t size) {
    return ask(FUSE_GETXATTR, ino,
               bytes_of(fuse_getxattr_in{.size = size, .padding = 0}) + name_arg("user.a"));
  };
  EXPECT_EQ(get(0).as<fuse_getxattr_out>().size, 10u);
  EXPECT_EQ(get(9).error_number, ERANGE);
  EXPECT_EQ(get(10).bytes, "0123456789");
  EXPECT_EQ(
      ask(FUSE_LISTXATTR, ino, bytes_of(fuse_getxattr_in{.size = 6, .padding = 0})).error_number,
      ERANGE);
  EXPECT_EQ(ask(FUSE_LISTXATTR, ino, bytes_of(fuse_getxattr_in{.size = 7, .padding = 0})).bytes,
            std::string("user.a\0", 7));
}

TEST_F(Dispatch, FallocateKnowsFiveModes) {
  const InodeId ino = make("file");
  const auto ask_mode = [&](uint32_t mode) {
    const fuse_fallocate_in wire = {
        .fh = 0, .offset = 0, .length = 4096, .mode = mode, .padding = 0};
    return ask(FUSE_FALLOCATE, ino, bytes_of(wire)).error_number;
  };
  for (const uint32_t mode : {0x0, 0x1, 0x3, 0x10, 0x11}) EXPECT_EQ(ask_mode(mode), 0) << mode;
  for (const uint32_t mode : {0x2, 0x8, 0x9, 0x20, 0x40, 0x13}) {
    EXPECT_EQ(ask_mode(mode), EOPNOTSUPP) << mode;
  }
}

TEST_F(Dispatch, RequestsAreCountedByName) {
  look_up(kRootInode, "a");
  look_up(kRootInode, "b");
  ask(63, kRootInode, "");
  Stats stats;
  counts_.add_to(stats);
  EXPECT_EQ(stats, (Stats{{"LOOKUP", 2}, {"opcode 63", 1}}));
}

}  // namespace
}  // namespace nacre::mount
