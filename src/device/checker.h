// Verifies what a device holds, while it is in use. For one thread.
#pragma once

#include <functional>
#include <string>

#include "device/core.h"

namespace nacre::device {

class Checker {
 public:
  Checker(Core& core, bool deep, const std::function<void(const Problem&)>& report)
      : core_(core), deep_(deep), report_(report) {}

  Result<CheckReport> run();

 private:
  void check_segment(uint32_t segment, const SegmentTable::Segment& state);
  wire::Summary contents_of(const SegmentFile& file, uint32_t segment,
                            const SegmentTable::Segment& state);
  void check_record(const SegmentFile& file, uint32_t segment, uint64_t generation,
                    const wire::SummaryRecord& record);
  void check_payload(const SegmentFile& file, uint32_t segment, const wire::RecordHead& head);
  void found(uint32_t segment, uint64_t offset_bytes, const wire::SummaryRecord* record,
             const Error& error);

  Core& core_;
  const bool deep_;
  const std::function<void(const Problem&)>& report_;
  CheckReport result_;
  std::string buffer_;
};

}  // namespace nacre::device
