#include "cli/submit/remote_evaluator.h"

#include <grpcpp/grpcpp.h>

#include "common/rpc/status_convert.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

namespace v1 = keys::v1;
using absl::StatusCode;
using common::testing::StatusIs;

// A key server around the key holder of the fixture, which can have faults.
class FakeKeys : public v1::Keys::Service {
 public:
  explicit FakeKeys(testing::KeyHolder& holder) : holder_(holder) {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeKeys() override { server_->Shutdown(); }
  std::shared_ptr<grpc::Channel> Channel() { return server_->InProcessChannel(grpc::ChannelArguments()); }

  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* request,
                        v1::EvaluateResponse* response) override {
    requests.push_back(*request);
    if (!error.ok()) return common::ToGrpc(error);
    auto answer = holder_.Evaluate(request->purpose(), request->delivery_id(),
                                   static_cast<std::uint32_t>(request->chunk()), request->blinded_elements());
    if (!answer.ok()) return common::ToGrpc(answer.status());
    response->set_evaluated_elements(answer->evaluated);
    response->set_proof(drop_proof ? std::string() : answer->proof);
    return grpc::Status::OK;
  }

  std::vector<v1::EvaluateRequest> requests;
  absl::Status error;
  bool drop_proof = false;

 private:
  testing::KeyHolder& holder_;
  std::unique_ptr<grpc::Server> server_;
};

class RemoteEvaluatorTest : public testing::PrepareTest {
 protected:
  absl::StatusOr<PseudonymisedRows> Pseudonymised(int persons) {
    testing::VectorSource source(Jobs(0, persons));
    return Pseudonymise(permit_, Name("jobs", "j1"), source, evaluator_, *cache_, *spill_, {});
  }

  FakeKeys server_{holder_};
  RemoteEvaluator evaluator_{server_.Channel(), permit_, "jobs"};
};

TEST_F(RemoteEvaluatorTest, AsksUnderPermitRegisterAndDelivery) {
  const auto rows = Pseudonymised(30);
  SLUIS_ASSERT_OK(rows);
  EXPECT_EQ(rows->evaluated, 30u);
  ASSERT_EQ(server_.requests.size(), 1u);
  const v1::EvaluateRequest& request = server_.requests[0];
  EXPECT_EQ(request.permit_id(), permit_.id);
  EXPECT_EQ(request.permit_sha256(), common::AsChars(permit_.sha256));
  EXPECT_EQ(request.purpose(), "identifiers");
  EXPECT_EQ(request.delivery_id(), "jobs/j1");
  EXPECT_EQ(request.chunk(), 0u);
  EXPECT_EQ(request.blinded_elements().size(), 30u * 32u);
}

TEST_F(RemoteEvaluatorTest, RefusesAKeyServerThatAnswersWithAnotherKey) {
  testing::KeyHolder other;
  FakeKeys impostor(other);
  RemoteEvaluator evaluator(impostor.Channel(), permit_, "jobs");
  testing::VectorSource source(Jobs(0, 30));
  const auto rows = Pseudonymise(permit_, Name("jobs", "j1"), source, evaluator, *cache_, *spill_, {});
  EXPECT_THAT(rows, StatusIs(StatusCode::kFailedPrecondition, "answer of the key service for identifiers"));
  EXPECT_EQ(common::ReasonOf(rows.status()), "OPRF_PROOF_INVALID");
  // Nothing of it was kept: the true one is asked for all of them.
  EXPECT_EQ(Pseudonymised(30)->evaluated, 30u);
}

TEST_F(RemoteEvaluatorTest, RefusesAnotherKeyForOneElementAndAnswersThatAreIncomplete) {
  for (const auto fault : {testing::KeyHolder::Fault::kAnotherKeyForTheLast, testing::KeyHolder::Fault::kSwapsTwo,
                           testing::KeyHolder::Fault::kDropsTheLast}) {
    holder_.fault = fault;
    EXPECT_FALSE(Pseudonymised(30).ok());
  }
  holder_.fault = testing::KeyHolder::Fault::kNone;
  server_.drop_proof = true;
  EXPECT_FALSE(Pseudonymised(30).ok());
  server_.drop_proof = false;
  EXPECT_EQ(Pseudonymised(30)->evaluated, 30u);
  EXPECT_EQ(holder_.debited, 30u);  // the same chunk each time
}

TEST_F(RemoteEvaluatorTest, PassesOnCodeAndReasonOfARefusal) {
  server_.error = common::WithReason(absl::ResourceExhaustedError("the budget is used up"), "QUOTA_EXHAUSTED");
  const auto refused = Pseudonymised(3);
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "the key holder answered: the budget is used up"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "QUOTA_EXHAUSTED");
}

}  // namespace
}  // namespace sluis::cli
