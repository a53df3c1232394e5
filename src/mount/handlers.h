// What each operation does: one function per opcode, from decoded arguments to the answer. The
// table in dispatch.cc binds them to opcodes. Called by workers, many at once; each answers its
// turn.
#pragma once

#include "mount/request.h"
#include "mount/session.h"

namespace nacre::mount {

// handlers_name.cc: the namespace.
void lookup(Turn& turn, const NameArgs& args);
void forget(Turn& turn, const ForgetArgs& args);
void batch_forget(Turn& turn, const BatchForgetArgs& args);
void mknod(Turn& turn, const MknodArgs& args);
void mkdir(Turn& turn, const MkdirArgs& args);
void symlink(Turn& turn, const SymlinkArgs& args);
void create(Turn& turn, const CreateArgs& args);
void link(Turn& turn, const LinkArgs& args);
void unlink(Turn& turn, const NameArgs& args);
void rmdir(Turn& turn, const NameArgs& args);
void rename(Turn& turn, const RenameArgs& args);
void rename2(Turn& turn, const Rename2Args& args);
void readlink(Turn& turn, const NoArgs& args);

// handlers_attr.cc: attributes, extended ones included.
void getattr(Turn& turn, const GetattrArgs& args);
void setattr(Turn& turn, const SetattrArgs& args);
void statx(Turn& turn, const StatxArgs& args);
void statfs(Turn& turn, const NoArgs& args);
void getxattr(Turn& turn, const GetxattrArgs& args);
void setxattr(Turn& turn, const SetxattrArgs& args);
void listxattr(Turn& turn, const ListxattrArgs& args);
void removexattr(Turn& turn, const RemovexattrArgs& args);

// handlers_open.cc: what there is of open files and directories.
void open(Turn& turn, const NoArgs& args);
void opendir(Turn& turn, const NoArgs& args);
void releasedir(Turn& turn, const ReleasedirArgs& args);
void release(Turn& turn, const NoArgs& args);
void readdir(Turn& turn, const ReadArgs& args);
void readdirplus(Turn& turn, const ReadArgs& args);

// handlers_data.cc: the content of files.
void read(Turn& turn, const ReadArgs& args);
void write(Turn& turn, const WriteArgs& args);
void fsync(Turn& turn, const FsyncArgs& args);
void fallocate(Turn& turn, const FallocateArgs& args);
void lseek(Turn& turn, const LseekArgs& args);
void copy_file_range(Turn& turn, const CopyArgs& args);
void copy_file_range_64(Turn& turn, const CopyArgs& args);

}  // namespace nacre::mount
