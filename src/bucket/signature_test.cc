#include "bucket/signature.h"

#include <gtest/gtest.h>

#include "bucket/digest.h"

namespace nacre::bucket {
namespace {

constexpr const char* kEmptySum =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// The examples of AWS:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
class AwsExamples : public testing::Test {
 protected:
  static std::string sign(ToSign request) {
    request.time = sign_time(1369353600);
    request.headers["host"] = "examplebucket.s3.amazonaws.com";
    request.headers["x-amz-date"] = request.time;
    request.headers["x-amz-content-sha256"] = request.payload_sha256;
    const Signer signer{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                        "us-east-1"};
    const std::string header = authorization(signer, request);
    EXPECT_TRUE(
        header.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/"
                           "us-east-1/s3/aws4_request,SignedHeaders="))
        << header;
    return header.substr(header.find("Signature=") + 10);
  }
};

TEST_F(AwsExamples, GetOfARange) {
  EXPECT_EQ(sign({.method = "GET",
                  .path = "/test.txt",
                  .headers = {{"range", "bytes=0-9"}},
                  .payload_sha256 = kEmptySum}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(AwsExamples, PutOfAKeyThatIsEncoded) {
  EXPECT_EQ(
      sign({.method = "PUT",
            .path = "/" + percent_encode("test$file.text", Slashes::kKeep),
            .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
            .payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}),
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(AwsExamples, QueryWithoutAValue) {
  EXPECT_EQ(sign({.method = "GET",
                  .path = "/",
                  .query = encode_query({{"lifecycle", ""}}),
                  .payload_sha256 = kEmptySum}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(AwsExamples, QueryThatIsSorted) {
  EXPECT_EQ(sign({.method = "GET",
                  .path = "/",
                  .query = encode_query({{"prefix", "J"}, {"max-keys", "2"}}),
                  .payload_sha256 = kEmptySum}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signature, EncodesWhatIsNotPlain) {
  EXPECT_EQ(percent_encode("aZ9-_.~/ +&=\xc3", Slashes::kKeep), "aZ9-_.~/%20%2B%26%3D%C3");
  EXPECT_EQ(percent_encode("a/b", Slashes::kEncode), "a%2Fb");
  EXPECT_EQ(encode_query({{"token", "a+b/c="}, {"list-type", "2"}}),
            "list-type=2&token=a%2Bb%2Fc%3D");
}

TEST(Digest, KnowsTheSumsOfThePapers) {
  const ByteView parts[] = {as_bytes("a"), {}, as_bytes("bc")};
  EXPECT_EQ(hex_of(md5_of(parts)), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(base64_of(md5_of(parts)), "kAFQmDzST7DWlj99KOF/cg==");
  EXPECT_EQ(hex_of(sha256_of(parts)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(sha256_of({})), kEmptySum);
  EXPECT_EQ(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace nacre::bucket
