#include "cli/table.h"

#include <gtest/gtest.h>

namespace nacre::cli {
namespace {

TEST(Table, AlignsItsColumns) {
  Table table({{"NAME"}, {"SIZE", Column::Align::kRight}, {"WHAT"}});
  table.add({"a", "5 B", "short"});
  table.add({"gr\xc3\xbc\xc3\x9f-gott", "1.50 MiB", ""});
  EXPECT_EQ(table.text(false),
            "NAME           SIZE  WHAT\n"
            "a               5 B  short\n"
            "gr\xc3\xbc\xc3\x9f-gott  1.50 MiB\n");
}

TEST(Table, HasABoldHeadingWhereAsked) {
  EXPECT_EQ(Table({{"NAME"}}).text(true), "\033[1mNAME\033[0m\n");
}

}  // namespace
}  // namespace nacre::cli
