// Package pricelist looks after PriceLists: it says of each whether its prices are charged, which one takes its place, and
// how many plans and tenants it is for; and it holds one that somebody deletes for as long as anything may be charged by it.
//
// Which list is in effect when is for reconciler/billing to say, which everybody asks who charges by one. This package shows
// it.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package pricelist
