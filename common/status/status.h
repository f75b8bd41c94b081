#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Errors in Sluis are absl::Status. A message names field, row and limit and says what to do; it never holds a value,
// an identifier, a key or a cell contribution.
//
//   INVALID_ARGUMENT     change the request          FAILED_PRECONDITION  change the state first, then retry
//   RESOURCE_EXHAUSTED   a quota or limit            ABORTED              retry as it is
//   PERMISSION_DENIED    not for this identity       DATA_LOSS            a MAC or a log is broken: stop serving
//   INTERNAL             a fault of Sluis

namespace sluis::common {

// Returns `status` with a machine-readable reason attached: upper snake case, stable over releases, such as
// "PERMIT_EXPIRED". An OK status comes back unchanged.
[[nodiscard]] absl::Status WithReason(absl::Status status, std::string_view reason);

// Returns the reason attached to `status`, or the empty string.
[[nodiscard]] std::string ReasonOf(const absl::Status& status);

// Returns `status` with "`context`: " before its message; code and reason are kept. An OK status comes back unchanged.
[[nodiscard]] absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace sluis::common

// Returns from the enclosing function with the status of `expr` unless it is OK.
#define SLUIS_RETURN_IF_ERROR(expr)                                 \
  do {                                                              \
    if (absl::Status sluis_status_ = (expr); !sluis_status_.ok()) { \
      return sluis_status_;                                         \
    }                                                               \
  } while (false)

#define SLUIS_CONCAT_INNER_(a, b) a##b
#define SLUIS_CONCAT_(a, b) SLUIS_CONCAT_INNER_(a, b)

// SLUIS_ASSIGN_OR_RETURN(auto x, F()): assigns the value of a StatusOr, or returns its status from the enclosing
// function.
#define SLUIS_ASSIGN_OR_RETURN(lhs, expr) SLUIS_ASSIGN_OR_RETURN_(SLUIS_CONCAT_(sluis_or_, __LINE__), lhs, expr)
#define SLUIS_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                            \
  if (!tmp.ok()) {                              \
    return std::move(tmp).status();             \
  }                                             \
  lhs = *std::move(tmp)
