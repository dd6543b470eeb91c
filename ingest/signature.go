package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"muster"
)

// Signing tells whether a project demands signatures, and the secret they are made with.
type Signing func(muster.ProjectID) (secret string, demanded bool)

// Sign returns the signature of a user id: the HMAC-SHA256 of the id with the project's identify secret, in lower-case
// hexadecimal. A page's server makes it for the user who is logged in.
func Sign(secret, userID string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(userID))
	return hex.EncodeToString(mac.Sum(nil))
}

// checkSignature rejects a message that states who somebody is, or a fact about them, without the proof that their server
// said so. Those are identify, group and alias when they name a user: "signature" is of the userId. An alias of two users
// takes over everything of the previous one, so it needs "previousSignature" as well, of the previousId. Track, page and
// screen add to what a user did and can neither join users nor change an attribute; clients send them without.
func checkSignature(secret string, m *Message, f *fields) *Rejection {
	if m.UserID == "" || m.Type == Track || m.Type == Page || m.Type == Screen {
		return nil
	}
	if !IsSignature(secret, m.UserID, f.signature) {
		return reject(RejectSignature, "/signature", "the project demands signed identification; "+
			`"signature" must be the hexadecimal HMAC-SHA256 of the userId with the project's identify secret`)
	}
	if m.PreviousID != "" && !IsSignature(secret, m.PreviousID, f.previousSignature) {
		return reject(RejectSignature, "/previousSignature", "the project demands signed identification; "+
			`"previousSignature" must be the hexadecimal HMAC-SHA256 of the previousId with the project's identify secret`)
	}
	return nil
}

// IsSignature tells whether a text is the signature of a user id.
func IsSignature(secret, id, signature string) bool {
	return hmac.Equal([]byte(Sign(secret, id)), []byte(signature))
}
