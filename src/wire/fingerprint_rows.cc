#include "wire/fingerprint_rows.h"

#include "wire/cursor.h"

namespace nacre::wire {

std::string fingerprint_key(codec::Fingerprint fingerprint) {
  std::string key(1, kFingerprintRowKind);
  Writer(key).id(fingerprint);
  return key;
}

Result<codec::Fingerprint> decode_fingerprint_key(std::string_view key) {
  Reader in(key);
  if (static_cast<char>(in.u8()) != kFingerprintRowKind) in.fail();
  const auto fingerprint = in.id<codec::Fingerprint>();
  TRY(in.finish("the key of a fingerprint"));
  return fingerprint;
}

std::string fingerprint_of_prefix(BlockId block) {
  std::string key(1, kFingerprintOfRowKind);
  Writer(key).id(block);
  return key;
}

std::string fingerprint_of_key(BlockId block, uint64_t offset) {
  std::string key = fingerprint_of_prefix(block);
  Writer(key).big_u64(offset);
  return key;
}

Result<FingerprintOfKey> decode_fingerprint_of_key(std::string_view key) {
  Reader in(key);
  FingerprintOfKey decoded;
  if (static_cast<char>(in.u8()) != kFingerprintOfRowKind) in.fail();
  decoded.block = in.id<BlockId>();
  decoded.offset = in.big_u64();
  TRY(in.finish("the key of content with a fingerprint"));
  return decoded;
}

std::string encode(const ContentPlace& place) {
  std::string value;
  Writer out(value);
  out.id(place.block);
  out.varint(place.offset);
  out.varint(place.length);
  return value;
}

Result<ContentPlace> decode_content_place(std::string_view value) {
  Reader in(value);
  ContentPlace place;
  place.block = in.id<BlockId>();
  place.offset = in.varint();
  place.length = in.varint();
  TRY(in.finish("the row of a fingerprint"));
  return place;
}

std::string encode_fingerprint(codec::Fingerprint fingerprint) {
  std::string value;
  Writer(value).id(fingerprint);
  return value;
}

Result<codec::Fingerprint> decode_fingerprint(std::string_view value) {
  Reader in(value);
  const auto fingerprint = in.id<codec::Fingerprint>();
  TRY(in.finish("a fingerprint"));
  return fingerprint;
}

}  // namespace nacre::wire
