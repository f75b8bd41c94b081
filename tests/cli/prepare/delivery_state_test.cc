#include "cli/prepare/delivery_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "common/file/atomic_file.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;

class DeliveryStateTest : public testing::PrepareTest {
 protected:
  DeliveryStateTest() : states_(*DeliveryStates::Open(root_ + "/deliveries", local_key_)) {}

  static DeliveryState Example() {
    DeliveryState state;
    state.stage = DeliveryStage::kPrepared;
    state.input_sha256[3] = 7;
    state.header.permit_id = "integration-monitor";
    state.header.permit_sha256[1] = 9;
    state.header.register_name = "persons";
    state.header.delivery_id = "2024-q1";
    state.header.replaces = "2023-q4";
    state.header.record_count = 5000;
    state.header.match_keys = {"bsn", "birth_name"};
    state.header.row_bytes = 77;
    state.header.sealed_data_key = std::string("\x00\xff\x80sealed", 9);
    state.header.schema_sha256[31] = 1;
    state.header.chunk_records = 2048;
    state.header.chunk_sha256.resize(3);
    state.header.chunk_sha256[2][0] = 255;
    state.header.content_sha256[0] = 4;
    state.header.encoding_plan_sha256[3] = 7;
    state.header.encoding_bytes = 128;
    state.evaluated = 12;
    state.tokens_evaluated = 34;
    state.receipt = "signed\n\xe2\x80\x94";
    return state;
  }
  static std::string FileOf() { return "persons.2024-q1.state"; }

  DeliveryStates states_;
};

TEST_F(DeliveryStateTest, ReturnsWhatWasSaved) {
  EXPECT_EQ(*states_.Load("persons", "2024-q1"), std::nullopt);
  SLUIS_ASSERT_OK(states_.Save(Example()));
  EXPECT_EQ(*states_.Load("persons", "2024-q1"), Example());
  EXPECT_EQ(*states_.List(), std::vector<DeliveryState>{Example()});
}

TEST_F(DeliveryStateTest, FindsTheDeliveryOfAFileOnceItIsCommitted) {
  DeliveryState state = Example();
  state.stage = DeliveryStage::kPrepared;
  SLUIS_ASSERT_OK(states_.Save(state));
  EXPECT_EQ(*states_.FindByInput(state.header.permit_sha256, "persons", state.input_sha256), std::nullopt);
  state.stage = DeliveryStage::kCommitted;
  SLUIS_ASSERT_OK(states_.Save(state));
  EXPECT_EQ(*states_.FindByInput(state.header.permit_sha256, "persons", state.input_sha256), state);
  EXPECT_EQ(*states_.FindByInput(state.header.permit_sha256, "jobs", state.input_sha256), std::nullopt);
  EXPECT_EQ(*states_.FindByInput(common::Hash256{}, "persons", state.input_sha256), std::nullopt);
  EXPECT_EQ(*states_.FindByInput(state.header.permit_sha256, "persons", common::Hash256{}), std::nullopt);
}

TEST_F(DeliveryStateTest, SealsAnewWhatAnOlderVersionPreparedAndKeepsWhatItCommitted) {
  const std::string path = root_ + "/deliveries/" + FileOf();
  const common::SecretBytes key = common::DeriveKey(local_key_, "sluis-delivery-state-v1");
  const std::string context = "sluis-delivery-state-v1" + FileOf();
  const auto save_as_version = [&](DeliveryStage stage, int version) {
    DeliveryState state = Example();
    state.stage = stage;
    EXPECT_THAT(states_.Save(state), common::testing::IsOk());
    auto document = nlohmann::json::parse(*common::AeadOpen(key, context, *common::ReadFileBounded(path, 1 << 20)));
    document["version"] = version;
    std::ofstream(path, std::ios::binary) << common::AeadSeal(key, context, document.dump());
  };
  save_as_version(DeliveryStage::kPrepared, 1);
  EXPECT_EQ((*states_.Load("persons", "2024-q1"))->stage, DeliveryStage::kStarted);
  save_as_version(DeliveryStage::kCommitted, 1);
  EXPECT_EQ((*states_.Load("persons", "2024-q1"))->stage, DeliveryStage::kCommitted);
  // Version 2 had no encodings: its spools are as they were.
  save_as_version(DeliveryStage::kPrepared, 2);
  EXPECT_EQ((*states_.Load("persons", "2024-q1"))->stage, DeliveryStage::kPrepared);
  EXPECT_EQ((*states_.Load("persons", "2024-q1"))->header.encoding_bytes, 0u);
  save_as_version(DeliveryStage::kPrepared, 4);
  EXPECT_THAT(states_.Load("persons", "2024-q1"), StatusIs(absl::StatusCode::kFailedPrecondition, "newer version"));
}

TEST_F(DeliveryStateTest, ForgetsARemovedDelivery) {
  SLUIS_ASSERT_OK(states_.Save(Example()));
  SLUIS_ASSERT_OK(states_.Remove("persons", "2024-q1"));
  EXPECT_EQ(*states_.Load("persons", "2024-q1"), std::nullopt);
  SLUIS_EXPECT_OK(states_.Remove("persons", "2024-q1"));
}

TEST_F(DeliveryStateTest, IsPrivateAndSealed) {
  SLUIS_ASSERT_OK(states_.Save(Example()));
  struct stat info {};
  ASSERT_EQ(stat((root_ + "/deliveries").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  const std::string path = root_ + "/deliveries/" + FileOf();
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::ifstream in(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(bytes.find("birth_name"), std::string::npos);
  EXPECT_EQ(bytes.find("integration-monitor"), std::string::npos);
}

TEST_F(DeliveryStateTest, RefusesChangedRenamedAndForeignFiles) {
  SLUIS_ASSERT_OK(states_.Save(Example()));
  const std::string directory = root_ + "/deliveries/";
  std::filesystem::copy(directory + FileOf(), directory + "persons.other.state");
  EXPECT_THAT(states_.Load("persons", "other"), StatusIs(absl::StatusCode::kDataLoss, "persons.other.state"));
  std::filesystem::remove(directory + "persons.other.state");
  const auto stranger = DeliveryStates::Open(directory, common::SecretBytes::Random(32));
  SLUIS_ASSERT_OK(stranger);
  EXPECT_THAT(stranger->Load("persons", "2024-q1"), StatusIs(absl::StatusCode::kDataLoss, "another local key"));
  {
    std::fstream file(directory + FileOf(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(30);
    file.put('x');
    file.put('y');
  }
  EXPECT_THAT(states_.List(), StatusIs(absl::StatusCode::kDataLoss, "changed"));
}

TEST_F(DeliveryStateTest, RefusesNamesThatAreNoFileNames) {
  for (const char* bad : {"", "../up", "a/b", ".hidden", "a b"}) {
    DeliveryState state = Example();
    state.header.delivery_id = bad;
    EXPECT_THAT(states_.Save(state), StatusIs(absl::StatusCode::kInvalidArgument, "a delivery id must have")) << bad;
    EXPECT_THAT(states_.Load("persons", bad), StatusIs(absl::StatusCode::kInvalidArgument, "")) << bad;
  }
  EXPECT_THAT(states_.Load("per.sons", "a"), StatusIs(absl::StatusCode::kInvalidArgument, "name of a register"));
}

// Whatever the linker takes as a delivery id can be kept here, and no two get in each other's way.
TEST_F(DeliveryStateTest, KeepsEveryDeliveryIdOfTheProtocol) {
  const std::vector<std::string> ids = {"Q4.2026_B-1", "q4.2026_B-1",       "x", "x.state", "x.spool",
                                        "x.spool.new", std::string(63, 'Z')};
  for (const std::string& id : ids) {
    DeliveryState state = Example();
    state.header.delivery_id = id;
    state.header.replaces = "";
    SLUIS_ASSERT_OK(states_.Save(state));
    std::ofstream(states_.SpoolPath("persons", id)) << id;
  }
  SLUIS_ASSERT_OK(states_.Tidy());
  EXPECT_EQ(states_.List()->size(), ids.size());
  for (const std::string& id : ids) {
    EXPECT_EQ((*states_.Load("persons", id))->header.delivery_id, id);
    EXPECT_EQ(*common::ReadFileBounded(states_.SpoolPath("persons", id), 100), id);
  }
}

// From the moment at which the new delivery is saved as committed, what it replaces is forgotten, also if the process
// dies before it removes it.
TEST_F(DeliveryStateTest, TidyingForgetsWhatACommittedDeliveryReplaces) {
  DeliveryState old = Example();
  old.header.delivery_id = "2023-q4";
  old.header.replaces = "";
  old.stage = DeliveryStage::kCommitted;
  SLUIS_ASSERT_OK(states_.Save(old));
  DeliveryState other = old;  // of the same name, in another register
  other.header.register_name = "jobs";
  SLUIS_ASSERT_OK(states_.Save(other));
  DeliveryState state = Example();
  state.input_sha256[0] = 1;
  SLUIS_ASSERT_OK(states_.Save(state));
  SLUIS_ASSERT_OK(states_.Tidy());
  EXPECT_EQ((*states_.Load("persons", "2023-q4"))->header.delivery_id, "2023-q4");  // not yet replaced

  state.stage = DeliveryStage::kCommitted;
  SLUIS_ASSERT_OK(states_.Save(state));
  auto reopened = DeliveryStates::Open(root_ + "/deliveries", local_key_);
  SLUIS_ASSERT_OK(reopened);
  SLUIS_ASSERT_OK(reopened->Tidy());
  EXPECT_EQ(*reopened->FindByInput(old.header.permit_sha256, "persons", old.input_sha256), std::nullopt);
  EXPECT_EQ(*reopened->Load("persons", "2023-q4"), std::nullopt);
  EXPECT_EQ(*reopened->Load("persons", "2024-q1"), state);
  EXPECT_EQ(*reopened->Load("jobs", "2023-q4"), other);
}

TEST_F(DeliveryStateTest, TidyingRemovesSpoolsThatNobodyWillUpload) {
  SLUIS_ASSERT_OK(states_.Save(Example()));
  DeliveryState started = Example();
  started.header.delivery_id = "started";
  started.stage = DeliveryStage::kStarted;
  SLUIS_ASSERT_OK(states_.Save(started));
  DeliveryState committed = Example();
  committed.header.delivery_id = "committed";
  committed.stage = DeliveryStage::kCommitted;
  SLUIS_ASSERT_OK(states_.Save(committed));
  for (const char* id : {"2024-q1", "started", "committed", "withdrawn"}) {
    std::ofstream(states_.SpoolPath("persons", id)) << "x";
    std::ofstream(states_.SpoolPath("persons", id) + ".new") << "x";
  }
  SLUIS_ASSERT_OK(states_.Tidy());
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(root_ + "/deliveries")) {
    if (entry.path().extension() != ".state") left.insert(entry.path().filename());
  }
  EXPECT_EQ(left, std::set<std::string>{"persons.2024-q1.spool"});
}

TEST_F(DeliveryStateTest, CommittingRemovesTheSpool) {
  DeliveryState state = Example();
  SLUIS_ASSERT_OK(states_.Save(state));
  const std::string spool = states_.SpoolPath("persons", "2024-q1");
  std::ofstream(spool) << "x";
  SLUIS_ASSERT_OK(states_.Save(state));
  EXPECT_TRUE(std::filesystem::exists(spool));
  state.stage = DeliveryStage::kCommitted;
  SLUIS_ASSERT_OK(states_.Save(state));
  EXPECT_FALSE(std::filesystem::exists(spool));
  SLUIS_EXPECT_OK(states_.Save(state));
}

}  // namespace
}  // namespace sluis::cli
