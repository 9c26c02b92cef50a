package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// caller asks KMS for signatures without the SDK: as little as the protocol
// lets one do. It repeats nothing and understands no error.
type caller struct{ url, key string }

func (c *caller) sign(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	body, err := json.Marshal(map[string]string{
		"KeyId": c.key, "Message": base64.StdEncoding.EncodeToString(digest[:]), "MessageType": "DIGEST", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
	})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	authorize(r, body, time.Now().UTC())
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	var answer struct{ Signature []byte }
	if err := json.NewDecoder(a.Body).Decode(&answer); err != nil || len(answer.Signature) == 0 {
		return nil, fmt.Errorf("status %d: %v", a.StatusCode, err)
	}
	return answer.Signature, nil
}

// authorize signs a request with AWS Signature Version 4.
func authorize(r *http.Request, body []byte, now time.Time) {
	stamp, date := now.Format("20060102T150405Z"), now.Format("20060102")
	scope := date + "/" + variables["AWS_REGION"] + "/kms/aws4_request"
	headers := [][2]string{
		{"content-type", "application/x-amz-json-1.1"}, {"host", r.URL.Host}, {"x-amz-date", stamp},
		{"x-amz-security-token", variables["AWS_SESSION_TOKEN"]}, {"x-amz-target", "TrentService.Sign"},
	}
	var canonical strings.Builder
	names := make([]string, 0, len(headers))
	for _, h := range headers {
		canonical.WriteString(h[0] + ":" + h[1] + "\n")
		names = append(names, h[0])
		if h[0] != "host" {
			r.Header.Set(h[0], h[1])
		}
	}
	signed := strings.Join(names, ";")
	request := "POST\n/\n\n" + canonical.String() + "\n" + signed + "\n" + hexSum(body)
	key := []byte("AWS4" + variables["AWS_SECRET_ACCESS_KEY"])
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signature := mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hexSum([]byte(request)))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+variables["AWS_ACCESS_KEY_ID"]+"/"+scope+
		", SignedHeaders="+signed+", Signature="+hex.EncodeToString(signature))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
