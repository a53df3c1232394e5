#include "mount/session.h"

#include "base/errno.h"

namespace nacre::mount {

fs::Caller Turn::caller(uint32_t umask) const {
  fs::Caller caller = request_.caller;
  caller.umask = umask;
  return caller;
}

void Turn::fail(const Error& error) { fail(errno_of(error.code())); }

void Turn::finish(const Status& status) {
  if (!status.ok()) return fail(status.error());
  done();
}

void Turn::send_entry(const Result<fs::Entry>& entry) {
  if (!entry.ok()) return fail(entry.error());
  send(entry_out(entry->attr, keep_entry(*entry)));
}

void Turn::send_attr(const Result<meta::Attr>& attr) {
  if (!attr.ok()) return fail(attr.error());
  send(attr_out(*attr, keep_attr(*attr)));
}

Keep Turn::keep_entry(const fs::Entry& entry) {
  if (!entry.cacheable) {
    session_.uncached.add(entry.attr.ino);
    return Keep::kNothing;
  }
  const bool asks =
      entry.attr.type == meta::FileType::kRegular && session_.asks_before_writing(entry.attr.ino);
  return asks ? Keep::kName : Keep::kAlways;
}

Keep Turn::keep_attr(const meta::Attr& attr) const {
  if (session_.uncached.contains(attr.ino)) return Keep::kNothing;
  const bool asks = attr.type == meta::FileType::kRegular && session_.asks_before_writing(attr.ino);
  return asks ? Keep::kName : Keep::kAlways;
}

Keep Turn::keep_entries_of(InodeId directory) const {
  if (session_.uncached.contains(directory)) return Keep::kNothing;
  return session_.asks_before_writing(directory) ? Keep::kName : Keep::kAlways;
}

}  // namespace nacre::mount
