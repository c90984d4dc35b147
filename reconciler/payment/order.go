package payment

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// MaxOrderID is how long the gateway lets an order ID be.
const MaxOrderID = 50

// crockford is the alphabet of ULIDs.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var (
	lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

	ourOrder    = regexp.MustCompile(`^dk-([a-z2-7]{6})-[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	clusterTag  = regexp.MustCompile(`^[a-z2-7]{6}$`)
	transaction = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)
)

// ClusterTag is what order IDs of one installation have in common: six characters made of its UID. Two installations
// that share a merchant are told apart by it.
func ClusterTag(uid string) string {
	sum := sha256.Sum256([]byte(uid))

	return lower.EncodeToString(sum[:])[:6]
}

// OrderIDOf is the ID of the order of a TopUp: a function of what is given to the TopUp when it is created and never changes.
// So there is nothing that must be stored before the gateway hears of it, and nothing that could be lost, forged or restored
// from a backup: whoever sees the TopUp knows its order, and no two TopUps ever have one in common.
func OrderIDOf(cluster, uid string, created time.Time) (string, error) {
	if uid == "" {
		return "", errors.New("make order ID: the UID is empty")
	}

	sum := sha256.Sum256([]byte(uid))

	return NewOrderID(cluster, created, [10]byte(sum[:10]))
}

// NewOrderID makes the ID of an order: dk-<cluster>-<ulid>, 36 characters. Whoever makes one from entropy that is random must
// store it before the gateway hears of it.
func NewOrderID(cluster string, at time.Time, entropy [10]byte) (string, error) {
	if !clusterTag.MatchString(cluster) {
		return "", fmt.Errorf("make order ID: cluster tag %s must be six characters of a-z and 2-7", quoted(cluster))
	}

	ms := at.UnixMilli()
	if ms < 0 || ms >= 1<<48 {
		return "", fmt.Errorf("make order ID: year %d is out of range", at.Year())
	}

	return "dk-" + cluster + "-" + ulid(uint64(ms), entropy), nil
}

// ulid encodes 48 bits of time and 80 bits of entropy in 26 characters, five bits each, the first of which holds three.
func ulid(ms uint64, entropy [10]byte) string {
	var text [26]byte

	for i := 9; i >= 0; i-- {
		text[i] = crockford[ms&31]
		ms >>= 5
	}

	var bits, have uint

	at := 10

	for _, b := range entropy {
		bits = bits<<8 | uint(b)
		have += 8

		for have >= 5 {
			have -= 5
			text[at] = crockford[bits>>have&31]
			at++
		}
	}

	return string(text[:])
}

// OrderCluster is the cluster tag of an order ID that NewOrderID made. Orders of other installations and of other
// systems that use the same merchant are not ours to judge.
func OrderCluster(id string) (tag string, ok bool) {
	m := ourOrder.FindStringSubmatch(id)
	if m == nil {
		return "", false
	}

	return m[1], true
}

// CheckOrderID refuses what cannot be an order ID at the gateway. Order IDs become parts of URLs, so this is asked before
// every call and of everything that a notification says.
func CheckOrderID(id string) error {
	if id == "" || len(id) > MaxOrderID || strings.Trim(id, ".") == "" || strings.Contains(id, "..") || strings.ContainsFunc(id, notInOrder) {
		return fmt.Errorf("check order ID %s: must be 1 to %d letters, digits and -_~. without two points in a row", quoted(id), MaxOrderID)
	}

	return nil
}

func notInOrder(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return false
	default:
		return !strings.ContainsRune("-_~.", c)
	}
}

// CheckTransactionID refuses what cannot be a transaction ID, for the same reason.
func CheckTransactionID(id string) error {
	if !transaction.MatchString(id) {
		return fmt.Errorf("check transaction ID %s: must be 1 to 64 letters, digits and -", quoted(id))
	}

	return nil
}

// Check refuses a reference that cannot be asked about.
func (r Reference) Check() error {
	if err := CheckOrderID(r.OrderID); err != nil {
		return err
	}

	if r.TransactionID == "" {
		return nil
	}

	return CheckTransactionID(r.TransactionID)
}
