#include "bucket/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nacre::bucket {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_name_byte(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

void append_utf8(uint32_t point, std::string& to) {
  const auto put = [&](uint32_t byte) { to += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlElement> document() {
    if (text_.size() > kMaxXmlBytes) return wrong("it is too long");
    skip("\xef\xbb\xbf");
    TRY(skip_between());
    XmlElement root;
    TRY(element(root, 1));
    TRY(skip_between());
    if (at_ < text_.size()) return wrong("something follows the root");
    return root;
  }

 private:
  Error wrong(std::string_view what) const {
    return Error(Code::kCorrupt,
                 fmt::format("not the XML of an object store at byte {}: {}", at_, what));
  }
  bool looking_at(std::string_view words) const { return text_.substr(at_).starts_with(words); }
  bool skip(std::string_view words) {
    if (!looking_at(words)) return false;
    at_ += words.size();
    return true;
  }
  void skip_blank() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }
  // Behind the next `end`.
  Status skip_past(std::string_view end) {
    const size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return wrong("it is cut off");
    at_ = found + end.size();
    return {};
  }
  // Blanks, comments and processing instructions.
  Status skip_between() {
    for (;;) {
      skip_blank();
      if (skip("<!--")) {
        TRY(skip_past("-->"));
      } else if (skip("<?")) {
        TRY(skip_past("?>"));
      } else {
        return {};
      }
    }
  }

  Result<std::string_view> name() {
    const size_t begin = at_;
    if (at_ < text_.size() && is_name_start(text_[at_])) {
      while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    }
    if (at_ == begin) return wrong("a name is missing");
    return text_.substr(begin, at_ - begin);
  }

  Status attributes() {
    for (;;) {
      const size_t before = at_;
      skip_blank();
      if (looking_at(">") || looking_at("/>")) return {};
      if (at_ == before) return wrong("an element does not end");
      TRY(name());
      if (!skip("=")) return wrong("an attribute has no value");
      const std::string_view quote = skip("\"") ? "\"" : skip("'") ? "'" : "";
      if (quote.empty()) return wrong("an attribute's value has no quotes");
      const size_t begin = at_;
      TRY(skip_past(quote));
      if (text_.substr(begin, at_ - begin).find('<') != std::string_view::npos) {
        return wrong("an attribute has a <");
      }
    }
  }

  Status element(XmlElement& into, size_t depth) {
    if (depth > kMaxXmlDepth) return wrong("it is nested too deeply");
    if (++elements_ > kMaxXmlElements) return wrong("it has too many elements");
    if (!skip("<")) return wrong("an element is missing");
    into.name = TRY(name());
    TRY(attributes());
    if (skip("/>")) return {};
    at_ += 1;  // ">": attributes() ends at one of the two
    return content(into, depth);
  }

  Status content(XmlElement& into, size_t depth) {
    for (;;) {
      if (at_ == text_.size()) return wrong("it is cut off");
      if (skip("</")) return end_of(into);
      if (skip("<!--")) {
        TRY(skip_past("-->"));
      } else if (looking_at("<")) {
        TRY(element(into.children.emplace_back(), depth + 1));
      } else if (skip("&")) {
        TRY(entity(into.text));
      } else {
        const size_t end = std::min(text_.find_first_of("<&", at_), text_.size());
        into.text += text_.substr(at_, end - at_);
        at_ = end;
      }
    }
  }

  Status end_of(XmlElement& element) {
    if (TRY(name()) != element.name) return wrong("another element ends than began");
    skip_blank();
    if (!skip(">")) return wrong("an end of an element does not end");
    if (element.children.empty()) return {};
    if (element.text.find_first_not_of(kBlank) != std::string::npos) {
      return wrong("text stands between elements");
    }
    element.text.clear();
    return {};
  }

  Status entity(std::string& to) {
    const size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 8) return wrong("an entity does not end");
    const std::string_view name = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (name.starts_with('#')) return numbered(name.substr(1), to);
    constexpr std::pair<std::string_view, char> kNamed[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [each, character] : kNamed) {
      if (each != name) continue;
      to += character;
      return {};
    }
    return wrong("an entity is not known");
  }

  Status numbered(std::string_view digits, std::string& to) {
    const bool hex = digits.starts_with('x');
    if (hex) digits.remove_prefix(1);
    uint32_t point = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), point, hex ? 16 : 10);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (!whole || point == 0 || surrogate || point > 0x10ffff) {
      return wrong("an entity is no character");
    }
    append_utf8(point, to);
    return {};
  }

  const std::string_view text_;
  size_t at_ = 0;
  size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  const auto found =
      std::ranges::find_if(children, [&](const XmlElement& each) { return each.name == wanted; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::text_of(std::string_view wanted) const {
  const XmlElement* const found = child(wanted);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

Result<XmlElement> parse_xml(std::string_view text) { return Parser(text).document(); }

}  // namespace nacre::bucket
