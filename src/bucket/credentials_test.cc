#include "bucket/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "os/temp_directory.h"

namespace nacre::bucket {
namespace {

using testing::HasSubstr;
using testing::Not;

class FindingCredentials : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = directory_ / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  Result<Credentials> find() {
    return find_credentials({.variable = [this](const std::string& name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    }});
  }
  static void expect_error(const Result<Credentials>& found, Code code, const std::string& words) {
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.code(), code) << found.error().to_string();
    EXPECT_THAT(found.error().context(), HasSubstr(words));
    EXPECT_THAT(found.error().context(), Not(HasSubstr("hunter2")));
  }

  os::TempDirectory directory_;
  std::map<std::string, std::string> environment_ = {{"HOME", directory_.path()}};
};

TEST_F(FindingCredentials, InAFileForBackblaze) {
  const std::string path = write("b2.toml",
                                 "# mine\n"
                                 "account_id = \"0012\"\n"
                                 "application_key = \"hunter2\"\n"
                                 "bucket = \"my-bucket\"\n"
                                 "endpoint = \"https://s3.eu-central-003.backblazeb2.com\"\n");
  const auto found = find_credentials({.file = path});
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_EQ(found->key_id, "0012");
  EXPECT_EQ(found->secret, "hunter2");
  EXPECT_EQ(found->bucket, "my-bucket");
  EXPECT_EQ(found->endpoint, "https://s3.eu-central-003.backblazeb2.com");
  EXPECT_EQ(found->origin, path);
}

TEST_F(FindingCredentials, InAFileForS3) {
  const auto found = read_credentials_file(write("s3.toml",
                                                 "key_id = \"AKIA\"\n"
                                                 "secret_access_key = \"hunter2\"\n"
                                                 "session_token = \"token\"\n"
                                                 "region = \"eu-west-1\"\n",
                                                 0400));
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_EQ(found->session_token, "token");
  EXPECT_EQ(found->region, "eu-west-1");
}

TEST_F(FindingCredentials, RefusesAFileThatOthersMayUse) {
  for (const mode_t mode : {0640u, 0604u, 0620u, 0666u, 0610u}) {
    const std::string path =
        write("open.toml", "key_id = \"a\"\napplication_key = \"hunter2\"\n", mode);
    expect_error(read_credentials_file(path), Code::kInvalid, "chmod 600 " + path);
  }
}

TEST_F(FindingCredentials, RefusesAFileOfSomebodyElse) {
  const std::string path = write("other.toml", "key_id = \"a\"\napplication_key = \"hunter2\"\n");
  if (::chown(path.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "only root gives files away";
  expect_error(read_credentials_file(path), Code::kInvalid, "belongs to user 12345");
}

TEST_F(FindingCredentials, SaysWhatIsWrongWithAFile) {
  const std::tuple<std::string, std::string> table[] = {
      {"key_id = \"a\"\n", "application_key is missing"},
      {"application_key = \"hunter2\"\n", "key_id is missing"},
      {"key_id = \"a\"\napplication_key = hunter2\n", "line 2 is not TOML"},
      {"key_id = \"a\"\n\napplication_key hunter2\n", "line 3 is not TOML"},
      {"key_id = 17\napplication_key = \"hunter2\"\n", "key_id must be a text"},
      {"key_id = \"\"\napplication_key = \"hunter2\"\n", "key_id must be a text"},
      {"key_id = \"a\"\napplication_key = \"hunter2\"\nhunter2 = \"x\"\n", "line 3 has a name"},
      {"key_id = \"a\"\naccount_id = \"b\"\n", "under its other name"},
      {std::string(70000, '#'), "too big"},
  };
  for (const auto& [text, words] : table) {
    expect_error(read_credentials_file(write("bad.toml", text)), Code::kInvalid, words);
  }
  expect_error(read_credentials_file(directory_.path()), Code::kInvalid, "not a regular file");
  expect_error(read_credentials_file(directory_ / "none"), Code::kNotFound, "none");
}

TEST_F(FindingCredentials, InTheEnvironment) {
  environment_["B2_APPLICATION_KEY_ID"] = "0012";
  environment_["B2_APPLICATION_KEY"] = "hunter2";
  EXPECT_EQ(find()->key_id, "0012");
  environment_["AWS_ACCESS_KEY_ID"] = "AKIA";
  environment_["AWS_SECRET_ACCESS_KEY"] = "secret";
  environment_["AWS_SESSION_TOKEN"] = "token";
  const auto found = find();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->key_id, "AKIA");
  EXPECT_EQ(found->secret, "secret");
  EXPECT_EQ(found->session_token, "token");
  EXPECT_THAT(found->origin, HasSubstr("AWS_ACCESS_KEY_ID"));
}

TEST_F(FindingCredentials, RefusesHalfAPair) {
  environment_["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  expect_error(find(), Code::kInvalid, "AWS_SECRET_ACCESS_KEY but not AWS_ACCESS_KEY_ID");
  environment_.erase("AWS_SECRET_ACCESS_KEY");
  environment_["B2_APPLICATION_KEY_ID"] = "0012";
  expect_error(find(), Code::kInvalid, "B2_APPLICATION_KEY_ID but not B2_APPLICATION_KEY");
}

TEST_F(FindingCredentials, InProfilesOfAws) {
  write(".aws/credentials",
        "; two\n"
        "[default]\n"
        "aws_access_key_id = AKIA1\n"
        "aws_secret_access_key=sec/ret=1\r\n"
        "\n"
        "[ work ]\n"
        "  aws_access_key_id=AKIA2\n"
        "aws_secret_access_key = hunter2\n"
        "aws_session_token = token\n"
        "[half]\n"
        "aws_access_key_id = AKIA3\n",
        0644);
  EXPECT_EQ(find()->key_id, "AKIA1");
  EXPECT_EQ(find()->secret, "sec/ret=1");
  EXPECT_EQ(find()->session_token, "");
  environment_["AWS_PROFILE"] = "work";
  EXPECT_EQ(find()->key_id, "AKIA2");
  EXPECT_EQ(find()->session_token, "token");
  environment_["AWS_PROFILE"] = "half";
  expect_error(find(), Code::kInvalid, "[half] has no aws_secret_access_key");
  environment_["AWS_PROFILE"] = "none";
  expect_error(find(), Code::kNotFound, "has no profile [none]");
}

TEST_F(FindingCredentials, InAFileOfAwsThatIsElsewhere) {
  environment_["AWS_SHARED_CREDENTIALS_FILE"] =
      write("elsewhere", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=hunter2\n");
  EXPECT_EQ(find()->key_id, "AKIA");
}

TEST_F(FindingCredentials, SaysWhereItLookedWhenThereAreNone) {
  const auto found = find();
  expect_error(found, Code::kNotFound, "AWS_ACCESS_KEY_ID");
  expect_error(found, Code::kNotFound, "B2_APPLICATION_KEY_ID");
  expect_error(found, Code::kNotFound, directory_.path() + "/.aws/credentials");
}

}  // namespace
}  // namespace nacre::bucket
