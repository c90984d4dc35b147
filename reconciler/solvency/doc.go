// Package solvency decides what the balance of an account means: whether its containers run, when its owner is warned, and
// what it takes to run again. It is pure: rules, facts and the state before give the state after and what to say.
//
//	           below the first warning          nothing available             grace is over, or overdrawn too far
//	Active ───────────────────────────► Low ───────────────────────► Grace ──────────────────────────────────► Suspended
//	   ▲                                 │                             │                                            │
//	   └─────────────────────────────────┴───── money for MinRunway ───┴────────────────────────────────────────────┘
//
//	Hold (chargeback, abuse) and Closed come before everything else and go when they are lifted. BudgetCapped is for who
//	set a cap: it goes when the month does, or when the cap is raised.
//
// Invariants: the same facts twice change nothing the second time; an account is never suspended without having been told
// before that its money runs out, unless what it owes came at once; it comes back only with money for MinRunway of all it
// declares, so that one rupiah does not start and stop it; each warning is given once for each credit.
//
// Callers: the ledger's writers, which store State beside the balance, in the same transaction; and admission, which asks
// whether the account can carry more. It imports reconciler/money.
package solvency
