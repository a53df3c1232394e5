// The little XML that S3 answers with. Strict and bounded, for input that nobody vouches for:
// elements, attributes (which are dropped), text, the five named entities and numbered ones.
// Anything else makes it fail: a DOCTYPE, entities of its own, CDATA, an encoding other than UTF-8.
// Pure, safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::bucket {

struct XmlElement {
  std::string name = {};
  std::string text = {};  // decoded; blank text around elements is dropped
  std::vector<XmlElement> children = {};

  // The first child of that name, or nullptr.
  const XmlElement* child(std::string_view wanted) const;
  // The text of that child; empty without one.
  std::string_view text_of(std::string_view wanted) const;
};

inline constexpr size_t kMaxXmlBytes = 4u << 20;
inline constexpr size_t kMaxXmlDepth = 12;
inline constexpr size_t kMaxXmlElements = 32768;

// The root. kCorrupt says what is wrong and where.
Result<XmlElement> parse_xml(std::string_view text);

}  // namespace nacre::bucket
