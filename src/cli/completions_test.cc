// The completion scripts and the parser know the same commands and options. bash runs its script;
// those of zsh and fish are read, as far as their own few forms go, since neither shell need be
// here.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "cli/command_tree.h"

namespace nacre::cli {
namespace {

using Path = std::vector<std::string>;

const std::string kScripts = NACRE_COMPLETIONS;

Words split(const std::string& text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;) words.insert(word);
  return words;
}

std::string read(const std::string& name) {
  std::ifstream file(kScripts + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

// Words as a shell cuts them: quotes are gone; newlines, brackets, '|' and ";;" outside of quotes
// are words of their own.
std::vector<std::string> cut(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  const auto end = [&] {
    if (begun) words.push_back(word);
    word.clear();
    begun = false;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char each = text[i];
    if (each == '\'' || each == '"') {
      const size_t close = text.find(each, i + 1);
      word += text.substr(i + 1, close - i - 1);
      begun = true;
      i = close;
    } else if (each == '\\') {
      if (text[++i] == '\n') continue;
      word += text[i];
      begun = true;
    } else if (each == '#' && !begun) {
      i = text.find('\n', i) - 1;
    } else if (each == '\n' || each == '(' || each == ')' || each == '|') {
      end();
      words.emplace_back(1, each);
    } else if (each == ' ') {
      end();
    } else {
      word += each;
      begun = true;
    }
  }
  end();
  return words;
}

// What a script offers.
class Script {
 public:
  virtual ~Script() = default;
  virtual Words options(const Path& command) = 0;
  virtual Words subcommands(const Path& command) = 0;
};

class Bash final : public Script {
 public:
  Words options(const Path& command) override {
    return ask("_nacre_options '" + joined(command) + "'");
  }
  Words subcommands(const Path& command) override {
    const std::string count = std::to_string(command.size() + 1);
    Words words = ask("COMP_WORDS=(nacre " + joined(command) + " ''); COMP_CWORD=" + count +
                      "; _nacre; echo \"${COMPREPLY[@]}\"");
    words.erase("--help");
    words.erase("--version");
    return words;
  }

 private:
  static Words ask(const std::string& what) {
    const std::string script =
        "bash -c \"source '" + kScripts + "/nacre.bash'; " + escaped(what) + "\"";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(script.c_str(), "r"), &::pclose);
    std::string said;
    for (int each = std::fgetc(pipe.get()); each != EOF; each = std::fgetc(pipe.get())) {
      said += static_cast<char>(each);
    }
    return split(said);
  }
  static std::string escaped(const std::string& text) {
    std::string result;
    for (const char each : text) {
      if (each == '"' || each == '$') result += '\\';
      result += each;
    }
    return result;
  }
};

// A function for each command with subcommands and one for the rest, each with a `case` over the
// word that comes next.
class Zsh final : public Script {
 public:
  Zsh() {
    const std::vector<std::string> words = cut(read("_nacre"));
    for (at_ = 0; at_ < words.size(); ++at_) take(words);
  }

  Words options(const Path& command) override { return options_[command]; }
  Words subcommands(const Path& command) override { return actions_[joined(command)]; }

 private:
  void take(const std::vector<std::string>& words) {
    const std::string& word = words[at_];
    const bool brackets = at_ + 2 < words.size() && words[at_ + 1] == "(";
    if (word.starts_with("_nacre") && brackets && words[at_ + 2] == ")") {
      begin(word);
      at_ += 2;
    } else if (word.ends_with('=') && brackets) {
      take_array(words);
    } else if (word == "case") {
      while (words[at_] != "in") ++at_;
      take_labels(words);
    } else if (word == ";;") {
      take_labels(words);
    } else {
      for (const std::string& each : expanded(word)) take_spec(each);
    }
  }

  void begin(const std::string& function) {
    command_.clear();
    if (function.starts_with("_nacre_")) command_.push_back(function.substr(7));
    labels_.clear();
    arrays_.clear();
  }

  void take_array(const std::vector<std::string>& words) {
    std::vector<std::string> values;
    const std::string name = words[at_].substr(0, words[at_].size() - 1);
    for (at_ += 2; words[at_] != ")"; ++at_) {
      for (const std::string& each : expanded(words[at_])) values.push_back(each);
    }
    if (command_ == Path{"command"}) {
      for (const std::string& each : values) actions_[""].insert(each.substr(0, each.find(':')));
    }
    std::erase(values, "\n");
    actions_[""].erase("\n");
    arrays_["$" + name] = values;
  }

  void take_labels(const std::vector<std::string>& words) {
    labels_.clear();
    for (++at_; words[at_] != ")" && words[at_] != "esac"; ++at_) {
      if (words[at_] != "|" && words[at_] != "\n") labels_.push_back(words[at_]);
    }
  }

  std::vector<std::string> expanded(const std::string& word) const {
    const auto found = arrays_.find(word);
    return found == arrays_.end() ? std::vector<std::string>{word} : found->second;
  }

  // As `_arguments` has them: "(-f --foreground){-f,--foreground}[stay]", "*--device[...]:...",
  // "1:action:(create list)".
  void take_spec(std::string spec) {
    if (spec.starts_with("1:action:(")) {
      actions_[joined(command_)] = split(spec.substr(10, spec.size() - 11));
    }
    if (spec.starts_with('(')) spec.erase(0, spec.find(')') + 1);
    if (spec.starts_with('*')) spec.erase(0, 1);
    const size_t close = spec.find('[');
    if (close == std::string::npos || !(spec.starts_with('-') || spec.starts_with('{'))) return;
    std::string names = spec.substr(0, close);
    std::ranges::replace_if(
        names, [](char each) { return std::string("{},").contains(each); }, ' ');
    for (const std::string& label : labels_) {
      Path path = command_;
      path.push_back(label);
      for (const std::string& name : split(names)) options_[path].insert(name);
    }
  }

  size_t at_ = 0;
  Path command_;
  std::vector<std::string> labels_;
  std::map<std::string, std::vector<std::string>> arrays_;
  std::map<Path, Words> options_;
  std::map<std::string, Words> actions_;
};

// Lines of `complete`, each under a condition on the words so far.
class Fish final : public Script {
 public:
  Fish() {
    std::vector<std::string> line;
    for (const std::string& word : cut(read("nacre.fish") + "\n")) {
      if (word != "\n") {
        line.push_back(word);
        continue;
      }
      take(line);
      line.clear();
    }
  }

  Words options(const Path& command) override {
    Words options;
    for (const Offer& each : offers_) {
      if (holds(each.condition, command)) options.insert(each.options.begin(), each.options.end());
    }
    return options;
  }
  Words subcommands(const Path& command) override {
    Words words;
    for (const Offer& each : offers_) {
      if (each.options.empty() && holds(each.condition, command)) {
        words.insert(each.arguments.begin(), each.arguments.end());
      }
    }
    return words;
  }

 private:
  struct Offer {
    std::string condition = {};
    Words options = {};
    Words arguments = {};
  };

  void take(const std::vector<std::string>& line) {
    if (line.size() > 3 && line[0] == "set") {
      variables_[line[2]] = joined({line.begin() + 3, line.end()});
      variables_[line[2]] = expanded(variables_[line[2]]);
    }
    if (line.empty() || line[0] != "complete") return;
    Offer offer;
    for (size_t i = 1; i + 1 < line.size(); ++i) {
      const std::string value = expanded(line[i + 1]);
      if (line[i] == "-n") offer.condition = value;
      if (line[i] == "-l") offer.options.insert("--" + value);
      if (line[i] == "-s") offer.options.insert("-" + value);
      if (line[i] == "-a") offer.arguments = split(value);
      if (line[i].size() == 2 && std::string("nlsadc").contains(line[i][1])) ++i;
    }
    offers_.push_back(offer);
  }

  std::string expanded(std::string text) const {
    for (const auto& [name, value] : variables_) {
      for (size_t at; (at = text.find("$" + name)) != std::string::npos;) {
        text.replace(at, name.size() + 1, value);
      }
    }
    return text;
  }

  // "not F A B; and G C".
  static bool holds(const std::string& condition, const Path& command) {
    for (size_t at = 0; at < condition.size();) {
      const size_t end = std::min(condition.find("; and ", at), condition.size());
      if (!holds_one(condition.substr(at, end - at), command)) return false;
      at = end + 6;
    }
    return true;
  }
  static bool holds_one(const std::string& condition, const Path& command) {
    std::istringstream in(condition);
    std::string function;
    in >> function;
    if (function == "not") return !holds_one(condition.substr(4), command);
    const auto seen = [&](const std::string& word) {
      return std::ranges::find(command, word) != command.end();
    };
    bool any = false;
    std::string word;
    if (function == "__nacre_action" && (in >> word) && !seen(word)) return false;
    while (in >> word) any = any || seen(word);
    EXPECT_TRUE(function == "__fish_seen_subcommand_from" || function == "__nacre_action")
        << condition;
    return function == "__nacre_action" ? !any : any;
  }

  std::map<std::string, std::string, std::greater<>> variables_;
  std::vector<Offer> offers_;
};

class CompletionsTest : public testing::TestWithParam<const char*> {
 protected:
  static std::unique_ptr<Script> script() {
    const std::string shell = GetParam();
    if (shell == "bash") return std::make_unique<Bash>();
    if (shell == "zsh") return std::make_unique<Zsh>();
    return std::make_unique<Fish>();
  }
};

TEST_P(CompletionsTest, OfferEveryOptionAndNoOther) {
  const auto offered = script();
  for (const CommandFacts& command : all_commands()) {
    if (!command.subcommands.empty()) continue;
    EXPECT_EQ(offered->options(command.path), command.options) << joined(command.path);
  }
}

TEST_P(CompletionsTest, OfferEverySubcommandAndNoOther) {
  const auto offered = script();
  for (const CommandFacts& command : all_commands()) {
    if (command.subcommands.empty()) continue;
    EXPECT_EQ(offered->subcommands(command.path), command.subcommands) << joined(command.path);
  }
}

INSTANTIATE_TEST_SUITE_P(Shells, CompletionsTest, testing::Values("bash", "zsh", "fish"),
                         [](const auto& shell) { return shell.param; });

}  // namespace
}  // namespace nacre::cli
