package warmup_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/lambda/warmup"
)

func TestIs(t *testing.T) {
	for payload, want := range map[string]bool{
		`{}`:                                    true,
		" { } ":                                 true,
		`{"source":"serverless-plugin-warmup"}`: true,
		`{"warmer":true,"concurrency":3}`:       true,
		`{"warmup":true}`:                       true,
		`{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","detail":{}}`: true,

		``:                    false,
		`null`:                false,
		`[]`:                  false,
		`"{}"`:                false,
		`{`:                   false,
		`{"source":"aws.s3"}`: false,
		`{"warmer":false}`:    false,
		`{"warmer":"true"}`:   false,
		`{"version":"2.0"}`:   false,
		`{"source":"serverless-plugin-warmup","requestContext":{}}`: false,
		`{"warmer":true,"methodArn":"arn"}`:                         false,
	} {
		if got := warmup.Is([]byte(payload)); got != want {
			t.Errorf("%s: %v", payload, got)
		}
	}
}
