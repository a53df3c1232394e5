// What a thread that waits for an answer is about to write.
//
// Before the kernel takes a write into its cache it may ask for the attributes of the file, and an
// error fails the write. But it asks the same before lseek and a read past the end, and does not
// say which. /proc does: the system call that a waiting thread is in, with its arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nacre::mount {

// Where a call does not say how much it writes, or as text of /proc does not, this is assumed.
inline constexpr uint64_t kAssumedWriteBytes = uint64_t{1} << 20;

// Bytes that the thread's system call writes; nothing when it is none that writes, or when that
// cannot be known: the thread is of another pid namespace, or of another user and the daemon is not
// root.
std::optional<uint64_t> bytes_being_written(uint32_t tid);

// Whether the thread's system call writes to the file and cannot be a read of it: of calls that may
// be either, and of what cannot be known, it says no.
bool is_surely_writing(uint32_t tid);

// The first of the two of what /proc/TID/syscall holds: "NUMBER 0xARG 0xARG ...".
std::optional<uint64_t> bytes_of_system_call(std::string_view line);

}  // namespace nacre::mount
