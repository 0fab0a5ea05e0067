// As Jest is by itself: CommonJS, nothing transformed.
module.exports = {
  testMatch: ['**/*.jest.cjs'],
  transform: {},
  testEnvironment: 'jsdom',
}
