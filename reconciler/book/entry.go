package book

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dogker/dogker/reconciler/money"
)

// hashVersion is what a hash covers and how. A change of either needs a new number; readers keep the old ways.
const hashVersion = 1

// Type says what an entry is about. A reader that meets one it does not know must not go on: it cannot know what the
// balance is.
type Type string

// The types of entries.
const (
	TypeTopUp       Type = "TopUp"
	TypeUsage       Type = "Usage"
	TypeGrant       Type = "Grant"
	TypeGrantExpiry Type = "GrantExpiry"
	TypeRefundHold  Type = "RefundHold"
	TypeRefundPost  Type = "RefundPost"
	TypeRefundVoid  Type = "RefundVoid"
	TypeReversal    Type = "Reversal"
	TypeChargeback  Type = "Chargeback"
	TypeAdjustment  Type = "Adjustment"
	// TypeWaiver moves nothing: it records what was metered or missed and is not charged.
	TypeWaiver   Type = "Waiver"
	TypeWriteOff Type = "WriteOff"
	// TypeCheckpoint moves nothing: it ties what was exported and pruned to the chain.
	TypeCheckpoint Type = "Checkpoint"
)

// types are all that this version understands.
var types = []Type{
	TypeTopUp, TypeUsage, TypeGrant, TypeGrantExpiry, TypeRefundHold, TypeRefundPost, TypeRefundVoid, TypeReversal,
	TypeChargeback, TypeAdjustment, TypeWaiver, TypeWriteOff, TypeCheckpoint,
}

// Accounts that postings name. Those of the tenant are in its Head; the others are the platform's, and their totals are
// found by adding up the postings, so that no two tenants ever write the same key.
const (
	AccountPaid         = "tenant:paid"
	AccountPromo        = "tenant:promo:" // and the ID of the lot
	AccountHeld         = "tenant:held:"  // and the ID of the hold
	AccountGateway      = "gateway:midtrans"
	AccountRevenue      = "revenue:usage"
	AccountPromoExpense = "promo-expense"
	AccountAdjustments  = "adjustments"
	AccountBadDebt      = "bad-debt"
	AccountSuspense     = "suspense"
)

// Posting is a change of one account. Those of an entry add up to zero.
type Posting struct {
	Account string      `json:"account"`
	Amount  money.Micro `json:"amount"`
}

// Entry is one line of a tenant's ledger. It is never changed after it was written: what was wrong is put right by
// another entry.
type Entry struct {
	// Version says what Hash covers.
	Version int `json:"v"`
	// Tenant whose ledger it is in.
	Tenant string `json:"tenant"`
	// Seq counts the entries of the tenant, from 1, without gaps.
	Seq  int64 `json:"seq"`
	Type Type  `json:"type"`
	// Key is the idempotency key: there is one entry with it, whatever happens.
	Key string `json:"key"`
	// Request is the hash of the operation that made the entry.
	Request string `json:"request"`
	// Time of writing in seconds of Unix time.
	Time int64 `json:"time"`
	// Amount by which the tenant's accounts changed, all together.
	Amount money.Micro `json:"amount"`
	// BalanceAfter is what is in all of them since: paid, promotional and held.
	BalanceAfter money.Micro `json:"balanceAfter"`
	Postings     []Posting   `json:"postings,omitempty"`
	// From and Through are the windows that a Usage or Waiver is about, both included. Of a GrantExpiry they are the last
	// window in which the lot paid for something.
	From    int64 `json:"from,omitempty"`
	Through int64 `json:"through,omitempty"`
	// Record is the hash of the Record that a Usage settles, or of the Checkpoint.
	Record string `json:"record,omitempty"`
	// Waived is what a Waiver forgoes.
	Waived money.Micro `json:"waived,omitempty"`
	// Lot that a Grant makes.
	Lot *Lot `json:"lot,omitempty"`
	// Order at the payment gateway, Transaction there, and Hold, where the entry is about one.
	Order       string `json:"order,omitempty"`
	Transaction string `json:"transaction,omitempty"`
	Hold        string `json:"hold,omitempty"`
	// Reverses is the Seq of the entry that this one puts right.
	Reverses int64 `json:"reverses,omitempty"`
	// Actor who wanted it, and why.
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Prev is the Hash of the entry before, empty for the first.
	Prev string `json:"prev,omitempty"`
	// Hash covers all of the above.
	Hash string `json:"hash,omitempty"`
}

// Encode writes the entry the one way it may be written.
func (e Entry) Encode() []byte {
	w := newEncoder(640 + len(e.Reason))
	w.entry(e)

	return w.out
}

// body is the entry without its hash, which is what the hash is of.
func (e Entry) body() []byte {
	e.Hash = ""

	return e.Encode()
}

// DecodeEntry reads an entry and refuses what this version does not understand, and any spelling but that of Encode: a
// byte that changed in a way that does not change the meaning is a byte that changed.
func DecodeEntry(data []byte) (Entry, error) {
	var e Entry
	if err := decode(data, &e); err != nil {
		return Entry{}, fmt.Errorf("decode entry: %w", err)
	}
	if e.Version != hashVersion || !slices.Contains(types, e.Type) {
		return Entry{}, fmt.Errorf("decode entry %d: type %q of version %d: %w", e.Seq, e.Type, e.Version, ErrNewer)
	}
	if !bytes.Equal(e.Encode(), data) {
		return Entry{}, fmt.Errorf("decode entry %d: it is not written as this program writes it: %w", e.Seq, ErrBroken)
	}

	return e, nil
}

// decode reads JSON without fields that this version does not know. They may be another version's; nobody can tell them
// from damage, and both are a reason to stop.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if strings.Contains(err.Error(), "unknown field") {
			return fmt.Errorf("%w: %w", ErrNewer, err)
		}
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if d.More() {
		return fmt.Errorf("something follows it: %w", ErrBroken)
	}

	return nil
}

// digest is the hash of the entry. The parts that place it in a chain come first and have a fixed length, so that no two
// entries can have the same bytes under it.
func (e Entry) digest(body []byte) string {
	h := sha256.New()
	var fixed [16]byte
	binary.BigEndian.PutUint64(fixed[:8], uint64(e.Version))
	binary.BigEndian.PutUint64(fixed[8:], uint64(e.Seq))
	h.Write(fixed[:])
	for _, part := range []string{e.Tenant, e.Prev} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	h.Write(body)

	return hex.EncodeToString(h.Sum(nil))
}

// hashOf is the hash of something that is written as JSON.
func hashOf(kind string, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a %s cannot be encoded: %v", kind, err))
	}

	return sumOf(kind, data)
}

// sumOf is the hash of what a kind of thing is written as.
func sumOf(kind string, data []byte) string {
	h := sha256.New()
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write(data)

	return hex.EncodeToString(h.Sum(nil))
}
