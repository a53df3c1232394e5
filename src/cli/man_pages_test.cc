// The man pages and the parser say the same.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "cli/command_tree.h"

namespace nacre::cli {
namespace {

using testing::IsSupersetOf;

// A page without what only sets its type.
struct Page {
  std::vector<std::string> tags = {};      // what a paragraph is about: the line after .TP
  std::vector<std::string> synopsis = {};  // lines
};

std::string plain(const std::string& line) {
  std::string text = line;
  if (text.starts_with('.')) text.erase(0, std::min(text.find(' '), text.size()));
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') continue;
    if (text[i] == '\\') ++i;
    const bool font = i > 0 && i < text.size() && text[i - 1] == '\\' && text[i] == 'f';
    if (font) ++i;
    if (!font && i < text.size()) result += text[i];
  }
  return result;
}

Page read_page(const std::string& name) {
  std::ifstream file(std::string(NACRE_MAN_PAGES) + "/" + name + ".1");
  EXPECT_TRUE(file.good()) << "there is no page " << name;
  Page page;
  std::string section;
  bool tag = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(".so man1/")) return read_page(line.substr(9, line.size() - 11));
    if (line.starts_with(".SH ")) section = plain(line);
    if (tag) page.tags.push_back(plain(line));
    tag = line == ".TP";
    // mount(8) is another program.
    const bool of_another = line.starts_with(".B mount ");
    if (section == " SYNOPSIS" && !of_another) page.synopsis.push_back(plain(line));
  }
  return page;
}

// "--data", "-f" among other words.
Words options_in(const std::vector<std::string>& lines) {
  const auto belongs = [](char each) {
    return each == '-' || (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
  };
  Words options;
  for (const std::string& line : lines) {
    std::string word;
    for (const char each : line + " ") {
      if (belongs(each)) {
        word += each;
        continue;
      }
      if (word.size() > 1 && word.starts_with('-')) options.insert(word);
      word.clear();
    }
  }
  for (const char* everywhere : {"--help", "-h"}) options.erase(everywhere);
  return options;
}

// The words that stand where a subcommand would: "list" and "status" of "nacre node list|status".
Words actions_in(const Page& page, const std::string& command) {
  Words actions;
  for (const std::string& line : page.synopsis) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word != "nacre" || !(words >> word) || word != command) continue;
    words >> word;
    std::istringstream choices(word);
    for (std::string each; std::getline(choices, each, '|');) actions.insert(each);
  }
  return actions;
}

std::string page_of(const CommandFacts& command) { return "nacre-" + command.path.front(); }

TEST(ManPages, DescribeEveryOption) {
  for (const CommandFacts& command : all_commands()) {
    if (command.path.empty()) continue;
    EXPECT_THAT(options_in(read_page(page_of(command)).tags), IsSupersetOf(command.options))
        << joined(command.path);
  }
}

TEST(ManPages, NameEverySubcommandAndNoOther) {
  for (const CommandFacts& command : all_commands()) {
    if (command.path.size() != 1 || command.subcommands.empty()) continue;
    EXPECT_EQ(actions_in(read_page(page_of(command)), command.path.front()), command.subcommands)
        << joined(command.path);
  }
}

// Pages are shared by commands: put, get, query and delete have one.
TEST(ManPages, DescribeNoOptionThatThereIsNot) {
  std::map<std::vector<std::string>, Words> known;  // by what the page says
  for (const CommandFacts& command : all_commands()) {
    if (command.path.empty()) continue;
    known[read_page(page_of(command)).synopsis].insert(command.options.begin(),
                                                       command.options.end());
  }
  for (const CommandFacts& command : all_commands()) {
    if (command.path.empty()) continue;
    const Page page = read_page(page_of(command));
    EXPECT_THAT(known[page.synopsis], IsSupersetOf(options_in(page.tags))) << page_of(command);
    EXPECT_THAT(known[page.synopsis], IsSupersetOf(options_in(page.synopsis))) << page_of(command);
  }
}

TEST(ManPages, OfTheProgramNameEveryCommand) {
  std::ifstream file(std::string(NACRE_MAN_PAGES) + "/nacre.1");
  std::ostringstream all;
  all << file.rdbuf();
  const std::vector<CommandFacts> commands = all_commands();
  for (const std::string& command : commands.front().subcommands) {
    EXPECT_TRUE(all.str().contains("nacre-" + command) || all.str().contains("nacre\\-" + command))
        << command;
  }
}

}  // namespace
}  // namespace nacre::cli
