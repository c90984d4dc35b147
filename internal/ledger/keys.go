package ledger

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/book"
)

// prefix lies outside the prefix of the API's objects, so that no request to the API can read or write what is below it.
const prefix = "/dogker/ledger/"

// termKey holds who leads. Its revision is the term.
const termKey = prefix + "term"

func headKey(tenant string) string       { return prefix + "head/" + tenant }
func meterKey(tenant string) string      { return prefix + "meter/" + tenant }
func checkpointKey(tenant string) string { return prefix + "checkpoint/" + tenant }
func couponKey(id string) string         { return prefix + "coupon/" + id }

func entryPrefix(tenant string) string { return prefix + "entry/" + tenant + "/" }

// entryKey has all digits that a number can have, so that keys sort as numbers do.
func entryKey(tenant string, seq int64) string {
	return fmt.Sprintf("%s%020d", entryPrefix(tenant), seq)
}

func idemPrefix(tenant string) string   { return prefix + "idem/" + tenant + "/" }
func idemKey(tenant, key string) string { return idemPrefix(tenant) + key }

func orderPrefix(tenant string) string  { return prefix + "order/" + tenant + "/" }
func orderKey(tenant, id string) string { return orderPrefix(tenant) + id }

func usagePrefix(tenant string) string { return prefix + "usage/" + tenant + "/" }

func usageKey(tenant string, p book.Period) string {
	return fmt.Sprintf("%s%010d/%06d", usagePrefix(tenant), p.Hour, p.Part)
}

func outboxKey(tenant, id string) string { return prefix + "outbox/" + tenant + "/" + id }

const inboxPrefix = prefix + "inbox/"

func inboxOf(order string) string          { return inboxPrefix + order + "/" }
func inboxKey(order, digest string) string { return inboxOf(order) + digest }
