#include "cli/submit/workspace.h"

#include <sys/stat.h>

#include <fstream>

#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::cli {
namespace {

using absl::StatusCode;
using common::testing::StatusIs;

class WorkspaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    client_.permit.permit.id = "integration";
    client_.permit.permit.oprf_public_keys["identifiers"][0] = 1;
    client_.config.set_state_directory(directory_ / "state");
    UseKey("key");
  }
  void UseKey(const std::string& name) {
    const std::string path = directory_ / name;
    if (!std::filesystem::exists(path)) {
      SLUIS_ASSERT_OK(common::WriteFileAtomically(path, common::RandomString(32), 0400));
    }
    client_.config.mutable_unlock()->set_key_file(path);
  }
  static DeliveryState Delivery(const std::string& id, DeliveryStage stage) {
    DeliveryState state;
    state.stage = stage;
    state.header.permit_id = "integration";
    state.header.register_name = "jobs";
    state.header.delivery_id = id;
    return state;
  }

  common::testing::TemporaryDirectory directory_;
  Client client_;
};

TEST_F(WorkspaceTest, KeepsItsKeyOverRunsAndLetsNobodyElseIn) {
  std::string lookup;
  {
    const auto workspace = Workspace::Open(client_);
    SLUIS_ASSERT_OK(workspace);
    lookup = (*workspace)->cache->LookupOf("identifiers", "123456782");
    SLUIS_ASSERT_OK((*workspace)->states->Save(Delivery("j1", DeliveryStage::kCommitted)));
    struct stat info {};
    ASSERT_EQ(stat((directory_ / "state").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
  }
  const auto again = Workspace::Open(client_);
  SLUIS_ASSERT_OK(again);
  EXPECT_EQ((*again)->cache->LookupOf("identifiers", "123456782"), lookup);
  EXPECT_TRUE((*again)->states->Load("jobs", "j1")->has_value());
}

TEST_F(WorkspaceTest, IsForOneProcessAtATime) {
  const auto first = Workspace::Open(client_);
  SLUIS_ASSERT_OK(first);
  // Two first commands at once: the second must not make a salt that would change the key of the first.
  ASSERT_TRUE(std::filesystem::remove(directory_ / "state/salt"));
  const absl::Status second = Workspace::Open(client_).status();
  EXPECT_THAT(second, StatusIs(StatusCode::kUnavailable, "another command works with the state_directory"));
  EXPECT_EQ(common::ReasonOf(second), "STATE_IN_USE");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state/salt"));
}

TEST_F(WorkspaceTest, RemovesWhatEndedDeliveriesLeftBehind) {
  std::string committed, prepared;
  {
    const auto workspace = Workspace::Open(client_);
    SLUIS_ASSERT_OK(workspace);
    DeliveryStates& states = *(*workspace)->states;
    DeliveryState current = Delivery("j2", DeliveryStage::kCommitted);
    current.header.replaces = "j1";
    for (const DeliveryState& state :
         {Delivery("j1", DeliveryStage::kCommitted), current, Delivery("j3", DeliveryStage::kPrepared)}) {
      SLUIS_ASSERT_OK(states.Save(state));
    }
    committed = states.SpoolPath("jobs", "j2");
    prepared = states.SpoolPath("jobs", "j3");
    std::ofstream(committed) << "x";
    std::ofstream(prepared) << "x";
  }
  const auto workspace = Workspace::Open(client_);
  SLUIS_ASSERT_OK(workspace);
  EXPECT_FALSE(std::filesystem::exists(committed));
  EXPECT_TRUE(std::filesystem::exists(prepared));
  EXPECT_FALSE((*workspace)->states->Load("jobs", "j1")->has_value());
}

TEST_F(WorkspaceTest, RefusesAnotherKeyAndAnIncompleteConfiguration) {
  {
    const auto workspace = Workspace::Open(client_);
    SLUIS_ASSERT_OK(workspace);
    SLUIS_ASSERT_OK((*workspace)->states->Save(Delivery("j1", DeliveryStage::kCommitted)));
  }
  UseKey("other-key");
  EXPECT_THAT(Workspace::Open(client_), StatusIs(StatusCode::kDataLoss, "another local key"));
  client_.config.clear_unlock();
  EXPECT_THAT(Workspace::Open(client_), StatusIs(StatusCode::kInvalidArgument, "unlock"));
  client_.config.clear_state_directory();
  EXPECT_THAT(Workspace::Open(client_), StatusIs(StatusCode::kInvalidArgument, "state_directory"));
}

}  // namespace
}  // namespace sluis::cli
