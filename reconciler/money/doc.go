// Package money holds amounts of rupiah and the arithmetic that makes them from use: integers only, every operation checked.
//
//	12500.312500  ──Parse──►  Micro(12_500_312_500)  ──String──►  12500.312500      JSON: the string, never a number
//
//	Meter.Accrue:  n = quantity × seconds × price + carry        128 bits
//	               charge = n / divisor,  carry' = n mod divisor  the divisor belongs to the meter, not to the price
//
// The unit is the micro-rupiah in an int64: enough for 9.2 thousand billion rupiah either way. Because the remainder of
// every division is carried on, charging a minute at a time gives to the last micro-rupiah what charging the whole hour
// gives, a price may change in between, and rounding is never an entry in a ledger.
//
// Invariants: no float; no result that wrapped around, ErrOverflow instead; what Parse accepts String writes back with the
// same value; a text is read in one spelling only, so that no two readers can disagree about it.
//
// Callers: the ledger, metering, payment. It imports nothing but the standard library.
package money
