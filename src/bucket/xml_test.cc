#include "bucket/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nacre::bucket {
namespace {

TEST(Xml, HasElementsAndTheirText) {
  const auto root = parse_xml(
      "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- words -->\n"
      "<Result xmlns=\"http://s3\" other='x>y'>\n  <Key>a/b</Key>\n  <Key >second</Key >\n"
      "  <Empty/><Also></Also><ETag>&quot;1&amp;2&quot;</ETag>\n"
      "  <Deep><Deeper><Deepest>x</Deepest></Deeper></Deep>\n</Result>\n");
  ASSERT_TRUE(root.ok()) << root.error().to_string();
  EXPECT_EQ(root->name, "Result");
  EXPECT_EQ(root->text, "");
  EXPECT_EQ(root->children.size(), 6u);
  EXPECT_EQ(root->text_of("Key"), "a/b");
  EXPECT_EQ(root->text_of("ETag"), "\"1&2\"");
  EXPECT_EQ(root->text_of("Empty"), "");
  EXPECT_EQ(root->text_of("Missing"), "");
  EXPECT_EQ(root->child("Missing"), nullptr);
  EXPECT_EQ(root->child("Deep")->child("Deeper")->text_of("Deepest"), "x");
}

TEST(Xml, DecodesEntities) {
  EXPECT_EQ(parse_xml("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#xe4;&#x20ac;&#x1F600;</a>")->text,
            "<>&\"'AB\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Xml, ThatIsNoneIsCorrupt) {
  for (const char* text : {"",
                           "words",
                           "<",
                           "<a",
                           "<a>",
                           "<a><b></a></b>",
                           "<a></b>",
                           "<a>x</a",
                           "<a></a></a>",
                           "<a/><b/>",
                           "<a/>x",
                           "<1/>",
                           "< a/>",
                           "<a b/>",
                           "<a b=c/>",
                           "<a b=\"c/>",
                           "<a b=\"<\"/>",
                           "<a b='1'c='2'/>",
                           "<a>&nope;</a>",
                           "<a>&amp</a>",
                           "<a>&</a>",
                           "<a>&#0;</a>",
                           "<a>&#xd800;</a>",
                           "<a>&#x110000;</a>",
                           "<a>&#;</a>",
                           "<a>&#x;</a>",
                           "<a>&#1x;</a>",
                           "<a>&#-1;</a>",
                           "<!DOCTYPE a><a/>",
                           "<a><![CDATA[x]]></a>",
                           "<a>x<b/></a>",
                           "<a><b/>x</a>",
                           "<!-- <a/>",
                           "<?xml <a/>",
                           "<a>&#99999999999;</a>"}) {
    const auto root = parse_xml(text);
    EXPECT_EQ(root.ok() ? Code::kIo : root.code(), Code::kCorrupt) << text;
  }
}

TEST(Xml, IsBounded) {
  const auto nested = [](size_t depth) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += "<a>";
    for (size_t i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_TRUE(parse_xml(nested(kMaxXmlDepth)).ok());
  EXPECT_EQ(parse_xml(nested(kMaxXmlDepth + 1)).code(), Code::kCorrupt);
  EXPECT_EQ(parse_xml(nested(100000)).code(), Code::kCorrupt);

  std::string many = "<r>";
  for (size_t i = 1; i < kMaxXmlElements; ++i) many += "<a/>";
  EXPECT_TRUE(parse_xml(many + "</r>").ok());
  EXPECT_EQ(parse_xml(many + "<a/></r>").code(), Code::kCorrupt);
  EXPECT_EQ(parse_xml("<a>" + std::string(kMaxXmlBytes, 'x') + "</a>").code(), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::bucket
