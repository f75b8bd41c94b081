#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>

namespace sluis::testing {

// Calls any method, whatever streams it has, with one request message, and returns the status at the end. Without
// `timeout` the call has no deadline.
grpc::Status CallMethod(const std::shared_ptr<grpc::Channel>& channel, const google::protobuf::MethodDescriptor& method,
                        const google::protobuf::Message& request, std::optional<std::chrono::seconds> timeout);

}  // namespace sluis::testing
