#include "kv/rocks_iterator.h"

#include <optional>

#include "base/check.h"
#include "kv/rocks_status.h"

namespace nacre::kv {
namespace {

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksIterator final : public Iterator {
 public:
  RocksIterator(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family, Range range,
                const rocksdb::Snapshot* snapshot, std::string what)
      : range_(std::move(range)),
        lower_(range_.lower),
        upper_(range_.upper),
        what_(std::move(what)) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    if (!lower_.empty()) options.iterate_lower_bound = &lower_;
    if (!upper_.empty()) options.iterate_upper_bound = &upper_;
    // Files that it alone kept are removed by the background thread, not by its destructor.
    options.background_purge_on_iterator_cleanup = true;
    move([&] { rows_.reset(database.NewIterator(options, family)); });
  }

  void seek(std::string_view key) override {
    move([&] { rows_->Seek(slice_of(key)); });
  }
  void seek_for_prev(std::string_view key) override {
    move([&] { rows_->SeekForPrev(slice_of(key)); });
  }
  void seek_to_first() override {
    move([&] { rows_->SeekToFirst(); });
  }
  void next() override {
    CHECK(valid());
    move([&] { rows_->Next(); });
  }
  void prev() override {
    CHECK(valid());
    move([&] { rows_->Prev(); });
  }
  bool valid() const override { return !failure_ && rows_->Valid(); }
  std::string_view key() const override {
    CHECK(valid());
    return view_of(rows_->key());
  }
  std::string_view value() const override {
    CHECK(valid());
    return view_of(rows_->value());
  }
  Status status() const override {
    if (failure_) return *failure_;
    const rocksdb::Status status = rows_->status();
    return status.ok() ? Status() : error_of(status, what_);
  }

 private:
  template <class Step>
  void move(Step step) {
    if (failure_) return;
    const Status moved = without_exceptions(what_, [&]() -> Status {
      step();
      return {};
    });
    if (!moved.ok()) failure_ = moved.error();
  }

  // RocksDB keeps pointers to the bounds.
  const Range range_;
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  const std::string what_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::optional<Error> failure_;  // thrown; what RocksDB returns is in rows_
};

}  // namespace

std::unique_ptr<Iterator> make_rocks_iterator(rocksdb::DB& database,
                                              rocksdb::ColumnFamilyHandle* family, Range range,
                                              const rocksdb::Snapshot* snapshot, std::string what) {
  return std::make_unique<RocksIterator>(database, family, std::move(range), snapshot,
                                         std::move(what));
}

}  // namespace nacre::kv
