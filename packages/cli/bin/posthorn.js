#!/usr/bin/env node
import '../dist/posthorn.js'
