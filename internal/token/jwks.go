package token

import (
	"encoding/base64"
	"math/big"
)

// jwksOf renders public keys as RFC 7517 has them. None of the members needs an escape.
func jwksOf(list []*key) []byte {
	b := []byte(`{"keys":[`)
	for i, k := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"kid":"`+k.ID+`","use":"sig","alg":"`+string(k.Algorithm)+`",`...)
		if k.rsa != nil {
			b = append(b, `"kty":"RSA","n":"`+encode(k.rsa.N.Bytes())+`","e":"`+encode(big.NewInt(int64(k.rsa.E)).Bytes())+`"}`...)
			continue
		}
		point, err := k.ec.Bytes() // 4, x, y
		if err != nil || len(point) != 1+es256Size {
			point = make([]byte, 1+es256Size) // newKey has checked that it is a point
		}
		x, y := point[1:1+es256Size/2], point[1+es256Size/2:]
		b = append(b, `"kty":"EC","crv":"P-256","x":"`+encode(x)+`","y":"`+encode(y)+`"}`...)
	}
	return append(b, ']', '}')
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
