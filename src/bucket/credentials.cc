#include "bucket/credentials.h"

#include <fmt/format.h>

#include <cstdlib>

namespace nacre::bucket {
namespace {

using Variable = std::function<std::optional<std::string>(const std::string&)>;

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// A variable that is set but empty counts as not set, as it does for AWS's own programs.
std::string value_of(const Variable& variable, const std::string& name) {
  return variable(name).value_or("");
}

// None when neither variable is set.
Result<std::optional<Credentials>> from_pair(const Variable& variable, const std::string& id_name,
                                             const std::string& secret_name) {
  Credentials found{.key_id = value_of(variable, id_name),
                    .secret = value_of(variable, secret_name),
                    .origin = "the environment (" + id_name + ")"};
  if (found.key_id.empty() && found.secret.empty()) return std::optional<Credentials>();
  if (found.key_id.empty() || found.secret.empty()) {
    const bool has_id = !found.key_id.empty();
    return Error(Code::kInvalid,
                 fmt::format("the environment has {} but not {}: set both or none",
                             has_id ? id_name : secret_name, has_id ? secret_name : id_name));
  }
  return std::optional(std::move(found));
}

}  // namespace

Result<Credentials> find_credentials(const CredentialSources& sources) {
  if (!sources.file.empty()) return read_credentials_file(sources.file);
  const Variable variable = sources.variable ? sources.variable : variable_of_process;

  auto aws = TRY(from_pair(variable, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"));
  if (aws) {
    aws->session_token = value_of(variable, "AWS_SESSION_TOKEN");
    return std::move(*aws);
  }
  auto b2 = TRY(from_pair(variable, "B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY"));
  if (b2) return std::move(*b2);

  std::string looked = "AWS_ACCESS_KEY_ID and B2_APPLICATION_KEY_ID are not set in the environment";
  std::string path = value_of(variable, "AWS_SHARED_CREDENTIALS_FILE");
  const std::string home = value_of(variable, "HOME");
  if (path.empty() && !home.empty()) path = home + "/.aws/credentials";
  if (!path.empty()) {
    std::string profile = value_of(variable, "AWS_PROFILE");
    if (profile.empty()) profile = "default";
    Result<Credentials> found = read_aws_profile(path, profile);
    if (found.ok() || found.code() != Code::kNotFound) return found;
    looked += "; " + found.error().context();
  }
  return Error(Code::kNotFound,
               fmt::format("no credentials for the bucket: {}. Set the variables, or name a file "
                           "of credentials with mode 0600",
                           looked));
}

}  // namespace nacre::bucket
