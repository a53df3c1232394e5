// Answers of a store that is broken or hostile: any bytes as XML, and as each answer that is read
// from it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "bucket/s3_answers.h"
#include "bucket/s3_error.h"
#include "bucket/xml.h"

namespace {

using namespace nacre;
using namespace nacre::bucket;

// How deep the tree is; counts its elements.
size_t depth_of(const XmlElement& element, size_t& elements) {
  ++elements;
  CHECK(!element.name.empty());
  CHECK(element.children.empty() || element.text.empty());
  size_t deepest = 0;
  for (const XmlElement& each : element.children) {
    deepest = std::max(deepest, depth_of(each, elements));
  }
  return deepest + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<XmlElement> root = parse_xml(text);
  if (root.ok()) {
    size_t elements = 0;
    CHECK(depth_of(*root, elements) <= kMaxXmlDepth && elements <= kMaxXmlElements);
  } else {
    CHECK(root.code() == Code::kCorrupt);
  }
  const Result<ListPage> page = parse_list_page(text);
  CHECK(!page.ok() || root.ok());
  const Result<UploadPage> uploads = parse_upload_page(text);
  CHECK(!uploads.ok() || !uploads->more || !uploads->next_key.empty());
  const Result<std::string> id = parse_upload_id(text);
  CHECK(!id.ok() || !id->empty());
  const auto completed = parse_completed(text);
  CHECK(!completed.ok() || root.ok());
  const Result<ContentRange> range = parse_content_range(text);
  CHECK(!range.ok() || range->first <= range->last);
  const Error error = error_of(parse_refusal(403, text, text, text), {.what = "x"});
  CHECK(error.context().find('\n') == std::string::npos);
  return 0;
}
