# What these do is Go and serverless.yml; nothing is decided here.
.PHONY: dev test package e2e-lambda deploy

dev:
	go run ./cmd/gatehouse dev

test:
	go test ./...

# The zips of every Lambda main under cmd and examples, then the template.
package: node_modules
	go run ./cmd/gatehouse package
	npx osls package

# The packaged template as a stack on this machine: the built functions under a
# Runtime API, with an emulated DynamoDB and KMS.
e2e-lambda: package
	go test -count=1 -v -run TestStackOnThisMachine ./internal/stack

deploy: package
	npx osls deploy

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	touch node_modules
