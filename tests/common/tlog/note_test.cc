#include "common/tlog/note.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/status/matchers.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/merkle.h"
#include "common/tlog/proof.h"
#include "gtest/gtest.h"
#include "tests/common/tlog/log_fixtures.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TestData;
using ::sluis::common::testing::TestKey;
using ::sluis::common::testing::TestVerifierKey;

constexpr char kVkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr char kNote[] =
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

TEST(SignedNote, VerifiesTheExampleOfTheSpecification) {
  const auto key = ParseVerifierKey(kVkey);
  SLUIS_ASSERT_OK(key);
  EXPECT_EQ(FormatVerifierKey(*key), kVkey);
  const auto note = VerifyNote(kNote, {&*key, 1});
  SLUIS_ASSERT_OK(note);
  EXPECT_EQ(note->text, "This is an example message.\n");
}

TEST(SignedNote, AgreesWithAllPublishedVectors) {
  const std::string file = TestData("vectors/signed-note-vectors/note_vectors.json");
  if (file.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  std::ifstream in(file);
  int count = 0;
  for (const auto& vector : nlohmann::json::parse(in)) {
    const auto key = ParseVerifierKey(vector["vkey"].get<std::string>());
    SLUIS_ASSERT_OK(key);
    EXPECT_EQ(VerifyNote(vector["note"].get<std::string>(), {&*key, 1}).ok(), vector["valid"].get<bool>())
        << vector["id"];
    ++count;
  }
  EXPECT_GE(count, 6);
}

TEST(SignedNote, EveryFlippedBitOfASignedNoteIsRefused) {
  const auto key = ParseVerifierKey(kVkey);
  SLUIS_ASSERT_OK(key);
  const std::string note = kNote;
  for (std::size_t i = 0; i < note.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string altered = note;
      altered[i] = static_cast<char>(altered[i] ^ (1 << bit));
      EXPECT_FALSE(VerifyNote(altered, {&*key, 1}).ok()) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(SignedNote, AcceptsSixteenForeignSignaturesAndLimitsTheirNumber) {
  const auto key = ParseVerifierKey(kVkey);
  std::string note = kNote;
  for (int i = 0; i < 63; ++i) {
    note += "\u2014 witness" + std::to_string(i) + ".example " + Base64Encode(std::string(76, 'w')) + "\n";
  }
  const auto verified = VerifyNote(note, {&*key, 1});
  SLUIS_ASSERT_OK(verified);
  EXPECT_EQ(verified->signatures.size(), 64u);
  note += "\u2014 one.more " + Base64Encode(std::string(76, 'w')) + "\n";
  EXPECT_THAT(ParseNote(note), StatusIs(absl::StatusCode::kInvalidArgument, "more than 64 signatures"));
}

TEST(SignedNote, UnknownKeysAloneDoNotVerifyAndABrokenKnownSignatureRefusesAll) {
  const VerifierKey first = TestVerifierKey("first.example", 1);
  const VerifierKey second = TestVerifierKey("second.example", 2);
  const std::string by_first = *SignNote("text\n", first.name, TestKey(1));
  std::string by_second = *SignNote("text\n", second.name, TestKey(2));
  EXPECT_THAT(VerifyNote(by_first, {&second, 1}), StatusIs(absl::StatusCode::kDataLoss, "not signed by a key"));
  const std::string second_line = by_second.substr(by_second.find("\n\n") + 2);
  const std::string other = *SignNote("other text\n", second.name, TestKey(2));
  const std::string broken_line = other.substr(other.find("\n\n") + 2);
  const VerifierKey both[] = {first, second};
  SLUIS_EXPECT_OK(VerifyNote(by_first + second_line, both));
  EXPECT_THAT(VerifyNote(by_first + broken_line, both),
              StatusIs(absl::StatusCode::kDataLoss, "signature by second.example does not verify"));
  SLUIS_EXPECT_OK(VerifyNote(by_first + broken_line, {&first, 1}));
}

TEST(SignedNote, RefusesMalformedNotes) {
  const std::string signature = "\u2014 n " + Base64Encode(std::string(68, 's')) + "\n";
  SLUIS_EXPECT_OK(ParseNote("text\n\n" + signature));
  SLUIS_EXPECT_OK(ParseNote("text\n\nwith an empty line\n\n" + signature));
  const std::vector<std::string> malformed = {
      "",
      "\n",
      "text\n",
      "text\n\n",
      "text\n" + signature,
      "text\n\n" + signature.substr(0, signature.size() - 1),
      "text\n\n" + signature + "\n",
      "text\n\n- n " + signature.substr(6),
      "text\n\n\u2014 a+b " + Base64Encode("12345") + "\n",
      "text\n\n\u2014 a\u00a0b " + Base64Encode("12345") + "\n",
      "text\n\n\u2014  " + Base64Encode("12345") + "\n",
      "text\n\n\u2014 n " + Base64Encode("1234") + "\n",
      "text\n\n\u2014 n !!!!\n",
      "text\n\n\u2014 n\n",
      "te\txt\n\n" + signature,
      "te\rxt\n\n" + signature,
      std::string("te\0xt\n\n", 7) + signature,
      "te\xff\n\n" + signature,
      "te\xed\xa0\x80\n\n" + signature,
      "\n\n" + std::string(kMaxNoteBytes, 'x') + "\n\n" + signature,
  };
  for (const std::string& note : malformed) {
    EXPECT_THAT(ParseNote(note), StatusIs(absl::StatusCode::kInvalidArgument, "malformed note")) << note.substr(0, 60);
  }
}

TEST(SignedNote, RefusesToSignWhatNobodyCouldParse) {
  EXPECT_THAT(SignNote("no newline", "n", TestKey()), StatusIs(absl::StatusCode::kInvalidArgument, "newline"));
  EXPECT_THAT(SignNote("tab\t\n", "n", TestKey()), StatusIs(absl::StatusCode::kInvalidArgument, "control"));
  EXPECT_THAT(SignNote("text\n", "a b", TestKey()), StatusIs(absl::StatusCode::kInvalidArgument, "spaces"));
  EXPECT_THAT(SignNote("text\n", "", TestKey()), StatusIs(absl::StatusCode::kInvalidArgument, "empty"));
}

TEST(VerifierKeys, RefusesMalformedOnes) {
  for (const char* vkey : {"", "a", "a+b", "a+530d903a+", "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                           "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"}) {
    EXPECT_THAT(ParseVerifierKey(vkey), StatusIs(absl::StatusCode::kInvalidArgument, "malformed verifier key"));
  }
  EXPECT_THAT(ParseVerifierKey("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
              StatusIs(absl::StatusCode::kInvalidArgument, "id does not belong"));
  EXPECT_THAT(ParseVerifierKey("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
              StatusIs(absl::StatusCode::kInvalidArgument, "id does not belong"));
}

// The example of tlog-checkpoint.md.
constexpr char kCheckpoint[] = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

TEST(Checkpoints, RoundTrip) {
  const auto checkpoint = ParseCheckpoint(kCheckpoint);
  SLUIS_ASSERT_OK(checkpoint);
  EXPECT_EQ(checkpoint->origin, "example.com/behind-the-sofa");
  EXPECT_EQ(checkpoint->size, 20852163u);
  EXPECT_EQ(FormatCheckpoint(*checkpoint), kCheckpoint);
  const auto extended = ParseCheckpoint(std::string(kCheckpoint) + "one\ntwo\n");
  SLUIS_ASSERT_OK(extended);
  EXPECT_EQ(extended->extensions, "one\ntwo\n");
}

TEST(Checkpoints, RefusesMalformedOnes) {
  const std::string root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  for (const std::string& text :
       {std::string(), "\n1\n" + root, "o\n\n" + root, "o\n01\n" + root, "o\n-1\n" + root, "o\n+1\n" + root,
        "o\n1 \n" + root, "o\n9223372036854775808\n" + root, std::string("o\n1\nAAAA\n"), "o\n1\n" + root + "\n",
        "o\n1\n" + root + "ext\n\n", "o\n1\n" + root + "ext", "o\n1\n" + root.substr(0, root.size() - 1)}) {
    EXPECT_THAT(ParseCheckpoint(text), StatusIs(absl::StatusCode::kInvalidArgument, "malformed checkpoint")) << text;
  }
}

TEST(Checkpoints, AWitnessDoesNotStandInForTheLog) {
  const VerifierKey witness = TestVerifierKey("witness.example", 2);
  const VerifierKey log = TestVerifierKey("example.com/behind-the-sofa", 1);
  const std::string by_witness = *SignNote(kCheckpoint, witness.name, TestKey(2));
  const VerifierKey both[] = {witness, log};
  EXPECT_THAT(VerifyCheckpoint(by_witness, both), StatusIs(absl::StatusCode::kDataLoss, "name of its origin"));
  SLUIS_EXPECT_OK(VerifyCheckpoint(*SignNote(kCheckpoint, log.name, TestKey(1)), both));
}

TEST(TlogProofText, RoundTripsWithAndWithoutExtraAndHashes) {
  for (const bool with_extra : {false, true}) {
    for (std::size_t hashes : {0u, 1u, 63u}) {
      TlogProof proof;
      if (with_extra) {
        proof.extra = "opaque";
      }
      proof.index = 73894;
      proof.path.resize(hashes, LeafHash("x"));
      proof.checkpoint = *SignNote(kCheckpoint, "log", TestKey());
      const auto parsed = ParseTlogProof(FormatTlogProof(proof));
      SLUIS_ASSERT_OK(parsed);
      EXPECT_EQ(parsed->extra, proof.extra);
      EXPECT_EQ(parsed->index, proof.index);
      EXPECT_EQ(parsed->path, proof.path);
      EXPECT_EQ(parsed->checkpoint, proof.checkpoint);
    }
  }
}

TEST(TlogProofText, RefusesMalformedText) {
  const std::string hash = Base64Encode(std::string(32, 'h'));
  std::string many;
  for (int i = 0; i < 64; ++i) {
    many += hash + "\n";
  }
  const std::string header = "c2sp.org/tlog-proof@v1\n";
  for (const std::string& text :
       {std::string(), header, header + "\nnote", header + "index 1\n" + hash, std::string("v2\nindex 1\n\nnote"),
        header + "index 01\n\nnote", header + "index -1\n\nnote", header + "index\n\nnote",
        header + "extra !\nindex 1\n\nnote", header + "index 1\nextra AAAA\n\nnote", header + "index 1\nAAAA\n\nnote",
        header + "index 18446744073709551616\n\nnote", header + "index 1\n" + many + "\nnote"}) {
    EXPECT_THAT(ParseTlogProof(text), StatusIs(absl::StatusCode::kInvalidArgument, "malformed tlog-proof")) << text;
  }
  SLUIS_EXPECT_OK(ParseTlogProof(header + "index 1\n" + hash + "\n\nnote"));
}

}  // namespace
}  // namespace sluis::common
