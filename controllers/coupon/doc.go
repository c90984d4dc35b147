// Package coupon says of each Coupon whether it can be redeemed, and how often it was. It redeems none: package topup does,
// with a payment, and package account does, without one; the rules that they follow are in reconciler/billing, and how often
// a coupon was redeemed is counted by the ledger in the transaction that redeems it.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package coupon
