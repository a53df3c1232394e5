// Rows of text under a heading, their columns aligned.
#pragma once

#include <string>
#include <vector>

namespace nacre::cli {

struct Column {
  std::string title;
  enum class Align { kLeft, kRight } align = Align::kLeft;
};

// Pure; cells are printable (text.h), and as many as there are columns.
class Table {
 public:
  explicit Table(std::vector<Column> columns);
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Every line ends with a line break. The heading is bold where `bold`.
  std::string text(bool bold) const;
  // text() on standard output, bold where that shows colours.
  void print() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace nacre::cli
