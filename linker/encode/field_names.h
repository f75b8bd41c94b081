#pragma once

#include <string_view>

namespace sluis::linker {

// Returns whether a field of this name looks like part of an address (street, house number, postcode, town, province
// ...), from words of English, Dutch, German, French, Spanish and Italian, however they are joined ("postal_code",
// "PostalCode", "woonplaats"). Not: where somebody was born, or the marital state. A guess for default plans; who
// writes the plan can say otherwise.
[[nodiscard]] bool IsAddressName(std::string_view name);

}  // namespace sluis::linker
