#pragma once

namespace sluis::disclosure {

// Wide enough for any sum or product of two int64 amounts, so that exact checks cannot overflow.
__extension__ typedef __int128 Int128;

}  // namespace sluis::disclosure
