#pragma once

#include <set>
#include <string>

#include "tests/integration/world.h"

namespace sluis::testing {

// The id of the project that AddSecondPermit makes.
inline constexpr char kSecondPermitId[] = "second-project";

// Puts the certificate of NAME's counterpart in the second permit beside the first ones.
inline std::string SecondParty(const std::string& name) { return "second-" + name; }

// Gives the services a second permit, in the folder `permit-second`: the first one under another id and with other
// parties in every role. `parties` (those of the first permit) get counterparts with certificates, see SecondParty.
// Restarts the services.
void AddSecondPermit(World& world, const std::set<std::string>& parties);

}  // namespace sluis::testing
