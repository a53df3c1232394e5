// The two forms of files that hold credentials.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <sstream>

#include "bucket/credentials.h"
#include "bucket/secret_file.h"

namespace nacre::bucket {
namespace {

struct Field {
  std::string_view name;
  std::string Credentials::* member;
};

constexpr std::array kTomlFields = {
    Field{"key_id", &Credentials::key_id},
    Field{"account_id", &Credentials::key_id},
    Field{"application_key", &Credentials::secret},
    Field{"secret_access_key", &Credentials::secret},
    Field{"session_token", &Credentials::session_token},
    Field{"bucket", &Credentials::bucket},
    Field{"endpoint", &Credentials::endpoint},
    Field{"region", &Credentials::region},
};

constexpr std::array kAwsFields = {
    Field{"aws_access_key_id", &Credentials::key_id},
    Field{"aws_secret_access_key", &Credentials::secret},
    Field{"aws_session_token", &Credentials::session_token},
    Field{"region", &Credentials::region},
};

Error wrong(const std::string& path, const std::string& what) {
  return Error(Code::kInvalid, path + ": " + what);
}

// Its own words are not shown: they repeat the text, which may be the secret.
Result<toml::table> parse_toml(const std::string& path, const std::string& text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return wrong(path, fmt::format("line {} is not TOML: write `name = \"value\"`",
                                   error.source().begin.line));
  }
}

Status set_field(const std::string& path, const toml::key& key, const toml::node& node,
                 Credentials& into) {
  for (const Field& field : kTomlFields) {
    if (field.name != key.str()) continue;
    const auto text = node.value<std::string>();
    if (!node.is_string() || text->empty()) {
      return wrong(path, fmt::format("{} must be a text in quotes, and not empty", field.name));
    }
    if (!(into.*field.member).empty()) {
      return wrong(path, fmt::format("{} is there under its other name, too", field.name));
    }
    into.*field.member = *text;
    return {};
  }
  // The key itself is not shown: a secret may have come to stand there.
  return wrong(path, fmt::format("line {} has a name that is none of key_id, application_key, "
                                 "session_token, bucket, endpoint, region",
                                 key.source().begin.line));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

Result<Credentials> read_credentials_file(const std::string& path) {
  const std::string text = TRY(read_secret_file(path, Privacy::kRequired));
  const toml::table table = TRY(parse_toml(path, text));
  Credentials found;
  for (const auto& [key, node] : table) TRY(set_field(path, key, node, found));
  if (found.key_id.empty()) return wrong(path, "key_id is missing");
  if (found.secret.empty()) return wrong(path, "application_key is missing");
  found.origin = path;
  return found;
}

Result<Credentials> read_aws_profile(const std::string& path, const std::string& profile) {
  const std::string text = TRY(read_secret_file(path, Privacy::kAny));
  Credentials found;
  bool inside = false;
  bool met = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string_view words = trimmed(line);
    if (words.empty() || words.front() == '#' || words.front() == ';') continue;
    if (words.front() == '[') {
      inside = words.back() == ']' && trimmed(words.substr(1, words.size() - 2)) == profile;
      met |= inside;
      continue;
    }
    const size_t equals = words.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    for (const Field& field : kAwsFields) {
      if (trimmed(words.substr(0, equals)) == field.name) {
        found.*field.member = trimmed(words.substr(equals + 1));
      }
    }
  }
  if (!met) {
    return Error(Code::kNotFound, fmt::format("{} has no profile [{}]", path, profile));
  }
  for (const Field& field : {kAwsFields[0], kAwsFields[1]}) {
    if ((found.*field.member).empty()) {
      return wrong(path, fmt::format("profile [{}] has no {}", profile, field.name));
    }
  }
  found.origin = fmt::format("{} [{}]", path, profile);
  return found;
}

}  // namespace nacre::bucket
