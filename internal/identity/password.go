package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	saltBytes = 16
	keyBytes  = 32
)

// cost is how much work one hash is. It stands in every hash, so that it can be raised: hashes of another cost go on
// being good and are replaced at the next login.
type cost struct {
	memoryKiB uint32
	passes    uint32
	lanes     uint8
}

// currentCost is more than what OWASP asks of argon2id (19 MiB, two passes), and takes a tenth of a second or so.
var currentCost = cost{memoryKiB: 32 << 10, passes: 2, lanes: 1}

// maxCost is the most that a stored hash may ask for. Nobody can write one but this package; it bounds what a damaged
// record can do.
var maxCost = cost{memoryKiB: 256 << 10, passes: 10, lanes: 8}

var errBadHash = errors.New("the stored hash is damaged")

// passwordHash is a hash with all that is needed to make it again.
type passwordHash struct {
	cost cost
	salt []byte
	key  []byte
}

// derive hashes a password. Texts that look the same are the same password, however a keyboard composes them.
func derive(password string, c cost, salt []byte) passwordHash {
	text := norm.NFKC.Bytes([]byte(password))

	return passwordHash{cost: c, salt: salt, key: argon2.IDKey(text, salt, c.passes, c.memoryKiB, c.lanes, keyBytes)}
}

func newSalt() []byte {
	salt := make([]byte, saltBytes)
	// It never fails: the runtime ends the process where the kernel gives no random bytes.
	_, _ = rand.Read(salt)

	return salt
}

// encode writes the hash in the form that argon2's own tool writes.
func (h passwordHash) encode() string {
	b64 := base64.RawStdEncoding

	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.memoryKiB, h.cost.passes, h.cost.lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// parseHash reads what encode writes, and refuses costs that would stop the server.
func parseHash(text string) (passwordHash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return passwordHash{}, errBadHash
	}

	var h passwordHash
	c := &h.cost
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memoryKiB, &c.passes, &c.lanes); err != nil || n != 3 {
		return passwordHash{}, errBadHash
	}
	if c.memoryKiB == 0 || c.passes == 0 || c.lanes == 0 ||
		c.memoryKiB > maxCost.memoryKiB || c.passes > maxCost.passes || c.lanes > maxCost.lanes {
		return passwordHash{}, errBadHash
	}

	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(h.salt) < saltBytes || len(h.key) != keyBytes {
		return passwordHash{}, errBadHash
	}

	return h, nil
}

// matches says whether the password is the one that was hashed, in a time that depends on the cost only.
func (h passwordHash) matches(password string) bool {
	again := derive(password, h.cost, h.salt)

	return subtle.ConstantTimeCompare(again.key, h.key) == 1
}
