// What people and scripts see: aligned tables, JSON, progress bars and errors. Colours and bars
// only on terminals.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/protocol.h"

namespace nacre::cli {

// Columns as wide as their widest cell; numbers to the right, the rest to the left.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Bytes meant as text for a terminal: control characters are shown, not sent.
std::string printable(std::string_view text);
// A file name as the service gives it (see node::json_of_bytes).
std::string name_from(const node::Json& value);
// The field as text for a table; "-" for none.
std::string cell(const node::Json& object, std::string_view field);
// A time such as "2026-03-01T12:30:05.25Z" as people want it: local, to the second.
std::string local_time(const std::string& time);

void print_json(const node::Json& value);
// "nacre: WHAT" on standard error.
void print_error(const Error& error);

// Collects the rows of an answer, and shows how a command goes on once it takes longer than two
// seconds: a bar with rate and time left, on standard error, when that is a terminal.
class Watcher final : public node::Events {
 public:
  ~Watcher() override { clear(); }
  bool progress(const node::Progress& progress) override;
  bool item(node::Json item) override;
  const std::vector<node::Json>& items() const { return items_; }
  // Takes the bar off the screen.
  void clear();

 private:
  using Clock = int64_t;
  int64_t started_ns_ = 0;
  int64_t drawn_ns_ = 0;
  bool shown_ = false;
  std::string phase_;
  std::vector<node::Json> items_;
};

}  // namespace nacre::cli
