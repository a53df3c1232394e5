#include "node/json.h"

#include <gtest/gtest.h>

namespace nacre::node {
namespace {

TEST(Json, NamesThatAreNoUtf8SurviveAsBytes) {
  const std::string names[] = {
      "", "plain", "gr\xc3\xbc\xc3\x9f", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "a\nb"};
  for (const std::string& name : names) {
    const auto parsed = parse_object(to_line({{"name", json_of_bytes(name)}}));
    ASSERT_TRUE(parsed.ok());
    const auto back = bytes_of_json((*parsed)["name"]);
    ASSERT_TRUE(back.ok()) << name;
    EXPECT_EQ(*back, name);
  }
}

TEST(Json, BytesInAnyOtherFormAreRefused) {
  for (const char* text : {R"({"v":1})", R"({"v":{}})", R"({"v":{"bytes":"0"}})", R"({"v":[]})",
                           R"({"v":{"bytes":"zz"}})", R"({"v":{"bytes":"00","x":1}})"}) {
    EXPECT_EQ(bytes_of_json((*parse_object(text))["v"]).code(), Code::kInvalid) << text;
  }
}

TEST(Json, ALineIsOneLineWhateverItSays) {
  EXPECT_EQ(to_line({{"text", "a\nb\xff"}}), "{\"text\":\"a\\nb\xef\xbf\xbd\"}");
}

TEST(Json, OnlyOneObjectIsAnObject) {
  for (const char* text : {"", "{", "[]", "1", "null", "{} {}", "\"\"", "{\"a\":\xff}"}) {
    EXPECT_EQ(parse_object(text).code(), Code::kInvalid) << text;
  }
  EXPECT_EQ(parse_object(std::string(30'000, '[')).code(), Code::kInvalid);
}

TEST(Arguments, AreFoundByNameAndType) {
  const Json object = {{"t", "text"}, {"n", 7}, {"f", true}, {"l", {"a", "b"}}, {"null", nullptr}};
  Arguments arguments(object);
  EXPECT_EQ(*arguments.text("t"), "text");
  EXPECT_EQ(*arguments.optional_number("n"), 7u);
  EXPECT_TRUE(*arguments.flag("f"));
  EXPECT_EQ(arguments.texts("l")->size(), 2u);
  EXPECT_EQ(*arguments.optional_text("null"), std::nullopt);
  EXPECT_EQ(*arguments.optional_number("missing"), std::nullopt);
  EXPECT_FALSE(*arguments.flag("missing"));
  EXPECT_TRUE(arguments.finish().ok());
}

TEST(Arguments, OfTheWrongTypeAreRefusedByName) {
  const Json object = {{"n", -1}, {"t", 5}, {"f", "yes"}, {"l", {1}}};
  Arguments arguments(object);
  EXPECT_EQ(arguments.optional_number("n").error().context(),
            "argument `n` must be a number that is not negative");
  EXPECT_EQ(arguments.text("t").code(), Code::kInvalid);
  EXPECT_EQ(arguments.flag("f").code(), Code::kInvalid);
  EXPECT_EQ(arguments.texts("l").code(), Code::kInvalid);
  EXPECT_EQ(arguments.optional_object("t").code(), Code::kInvalid);
  EXPECT_EQ(arguments.text("missing").error().context(), "argument `missing` is missing");
}

TEST(Arguments, ThatNobodyAskedForAreRefused) {
  const Json object = {{"known", 1}, {"typo", 2}};
  Arguments arguments(object);
  (void)arguments.optional_number("known").ok();
  EXPECT_EQ(arguments.finish().error().context(), "unknown argument `typo`");
}

}  // namespace
}  // namespace nacre::node
