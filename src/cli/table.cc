#include "cli/table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/terminal.h"
#include "cli/text.h"

namespace nacre::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  rows_.push_back(std::move(titles));
}

std::string Table::text(bool bold) const {
  std::vector<size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      const bool right = columns_[i].align == Column::Align::kRight;
      line += right ? padding + row[i] : row[i] + padding;
      if (i + 1 < row.size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    const bool heading = &row == &rows_.front();
    text += heading && bold ? fmt::format("\033[1m{}\033[0m\n", line) : line + "\n";
  }
  return text;
}

void Table::print() const { fmt::print("{}", text(shows_colours(STDOUT_FILENO))); }

}  // namespace nacre::cli
