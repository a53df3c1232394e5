// Who we are to an object store, found where such things usually are. Never on the command line:
// other users see it. Safe from any thread; values own what they hold.
//
// Secrets are in `Credentials` alone. No error and no log has them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::bucket {

struct Credentials {
  std::string key_id = {};
  std::string secret = {};
  std::string session_token = {};  // empty: none

  // What the file said besides; empty where it did not.
  std::string bucket = {};
  std::string endpoint = {};
  std::string region = {};

  // For messages: "environment", or the path of the file.
  std::string origin = {};
};

// Where to look. The environment is that of the process unless a test gives another.
struct CredentialSources {
  std::string file = {};  // when given, nothing else is looked at
  std::function<std::optional<std::string>(const std::string&)> variable = {};
};

// The file if one is named; else the environment: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, then B2_APPLICATION_KEY_ID with B2_APPLICATION_KEY; else the profile
// AWS_PROFILE ("default") of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials).
//
// kNotFound says everywhere that was looked; kInvalid what is wrong with what is there: half a
// pair, a file that does not parse, a secret that others may read.
Result<Credentials> find_credentials(const CredentialSources& sources);

// A TOML file, for Backblaze B2 or any S3:
//
//   key_id = "0012ab..."          # or account_id
//   application_key = "K001..."   # or secret_access_key
//   session_token = "..."         # seldom
//   bucket = "my-bucket"
//   endpoint = "https://s3.eu-central-003.backblazeb2.com"
//   region = "eu-central-003"
//
// The first two are needed. The file must be the user's and closed to all others, as by `chmod
// 600`: else kInvalid says so. So does a key that is none of these.
Result<Credentials> read_credentials_file(const std::string& path);

// One profile of a file of AWS's form: [PROFILE], then `name = value`. kNotFound without the file
// or the profile in it.
Result<Credentials> read_aws_profile(const std::string& path, const std::string& profile);

}  // namespace nacre::bucket
