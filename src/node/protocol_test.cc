#include "node/protocol.h"

#include <gtest/gtest.h>

namespace nacre::node {
namespace {

Result<AnswerLine> travel(const Json& line) { return decode_answer_line(to_line(line)); }

TEST(Protocol, ARequestArrivesAsSent) {
  const Request sent = {"history", {{"path", "/a"}, {"deleted", true}}};
  const auto got = decode_request(to_line(encode(sent)));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->command, "history");
  EXPECT_EQ(got->arguments, sent.arguments);
}

TEST(Protocol, ARequestNeedsNoArguments) {
  const auto got = decode_request(R"({"command":"status"})");
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(got->arguments.empty());
}

TEST(Protocol, MalformedRequestsSayWhatIsWrong) {
  const auto reason = [](const char* line) { return decode_request(line).error().context(); };
  EXPECT_EQ(reason("hello"), "this is no JSON");
  EXPECT_EQ(reason("[1]"), "this is no JSON object");
  EXPECT_EQ(reason("{}"), "argument `command` is missing");
  EXPECT_EQ(reason(R"({"command":5})"), "argument `command` must be a text");
  EXPECT_EQ(reason(R"({"command":"status","arguments":[]})"),
            "argument `arguments` must be an object");
  EXPECT_EQ(reason(R"({"command":"status","x":1})"), "unknown argument `x`");
}

TEST(Protocol, ProgressItemsAndResultsArriveAsSent) {
  const auto progress = travel(progress_line({"reading", 1, 2, "bytes"}));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(progress->kind, AnswerLine::Kind::kProgress);
  EXPECT_EQ(progress->progress.phase, "reading");
  EXPECT_EQ(progress->progress.total, 2u);

  const auto item = travel(item_line({{"name", "x"}}));
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(item->kind, AnswerLine::Kind::kItem);
  EXPECT_EQ(item->item["name"], "x");

  const auto answer = travel(answer_line(Json{{"count", 3}}));
  ASSERT_TRUE(answer.ok());
  ASSERT_TRUE(answer->answer.ok());
  EXPECT_EQ((*answer->answer)["count"], 3);
}

TEST(Protocol, ErrorsKeepTheirCodeAndContext) {
  for (int value = 0; value <= static_cast<int>(Code::kCancelled); ++value) {
    const auto code = static_cast<Code>(value);
    const auto line = travel(answer_line(Error(code, "what and why")));
    ASSERT_TRUE(line.ok());
    EXPECT_EQ(line->answer.code(), code);
    EXPECT_EQ(line->answer.error().context(), "what and why");
  }
  EXPECT_EQ(code_named("of the future"), Code::kIo);
}

TEST(Protocol, AnswersNoServiceGivesAreRefused) {
  for (const char* line : {"", "{}", R"({"ok":1})", R"({"ok":true})", R"({"ok":false})",
                           R"({"ok":false,"error":{"code":"busy"}})", R"({"progress":1})"}) {
    EXPECT_EQ(decode_answer_line(line).code(), Code::kInvalid) << line;
  }
}

}  // namespace
}  // namespace nacre::node
