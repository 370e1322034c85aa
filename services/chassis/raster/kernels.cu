// Pixel work on the device: what raster/cpu.py does, a thread for each pixel of the target.
//
// Pictures are uint8, rows without gaps, channels last, RGB, sRGB. Addresses are checked by nobody:
// raster/cuda.py holds the sizes together. Every kernel is plain C++ besides its thread's place, so
// that a test can run it on any machine.

typedef unsigned char byte;

#define KERNEL extern "C" __global__ void
#define PLACE(x, y, width, height)                                                                 \
    const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);                         \
    const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);                         \
    if (x >= (width) || y >= (height)) return

// Beyond 2 GiB of pixels an int would not do.
static __device__ inline size_t at(int y, int x, int width, int channels) {
    return (static_cast<size_t>(y) * width + x) * channels;
}

static __device__ inline byte to_byte(float value) {
    return static_cast<byte>(rintf(fminf(fmaxf(value, 0.0f), 255.0f)));
}

static __device__ inline int clamped(int place, int size) {
    return place < 0 ? 0 : place >= size ? size - 1 : place;
}

// Mirrored at the outer edge of the border pixels, as often as it takes.
static __device__ inline int mirrored(int place, int size) {
    const int period = 2 * size;
    int inside = place % period;
    if (inside < 0) inside += period;
    return inside < size ? inside : period - 1 - inside;
}

static __device__ inline float grey(const byte* pixel) {
    return rintf(0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]);
}

// ---- between pictures and what networks read and write ----

KERNEL picture_to_tensor(const byte* picture, float* tensor, int height, int width) {
    PLACE(x, y, width, height);
    const size_t plane = static_cast<size_t>(height) * width;
    for (int channel = 0; channel < 3; ++channel)
        tensor[channel * plane + at(y, x, width, 1)] =
            picture[at(y, x, width, 3) + channel] / 255.0f;
}

KERNEL tensor_to_picture(const float* tensor, byte* picture, int height, int width) {
    PLACE(x, y, width, height);
    const size_t plane = static_cast<size_t>(height) * width;
    for (int channel = 0; channel < 3; ++channel)
        picture[at(y, x, width, 3) + channel] =
            to_byte(tensor[channel * plane + at(y, x, width, 1)] * 255.0f);
}

// ---- sizes ----

KERNEL shrink(const byte* source, byte* target, int source_height, int source_width, int height,
              int width, int channels) {
    PLACE(x, y, width, height);
    const float down = static_cast<float>(source_height) / height;
    const float right = static_cast<float>(source_width) / width;
    const float top = y * down, bottom = fminf((y + 1) * down, source_height);
    const float left = x * right, end = fminf((x + 1) * right, source_width);
    for (int channel = 0; channel < channels; ++channel) {
        float sum = 0.0f, area = 0.0f;
        for (int row = static_cast<int>(top); row < source_height && row < bottom; ++row) {
            const float tall = fminf(row + 1, bottom) - fmaxf(row, top);
            for (int column = static_cast<int>(left); column < source_width && column < end;
                 ++column) {
                const float share = tall * (fminf(column + 1, end) - fmaxf(column, left));
                sum += share * source[at(row, column, source_width, channels) + channel];
                area += share;
            }
        }
        target[at(y, x, width, channels) + channel] = to_byte(sum / area);
    }
}

// Cubic convolution with a = -0.75 (Keys, 1981, with OpenCV's constant): weights of the four taps
// around a place that lies `past` beyond the second.
static __device__ inline void cubic_weights(float past, float* weights) {
    const float a = -0.75f, before = past + 1.0f, after = 1.0f - past;
    weights[0] = ((a * before - 5.0f * a) * before + 8.0f * a) * before - 4.0f * a;
    weights[1] = ((a + 2.0f) * past - (a + 3.0f)) * past * past + 1.0f;
    weights[2] = ((a + 2.0f) * after - (a + 3.0f)) * after * after + 1.0f;
    weights[3] = 1.0f - weights[0] - weights[1] - weights[2];
}

// A channel of a picture (0 and up) or its grey value (-1) between its pixels.
static __device__ inline float cubic(const byte* source, int source_height, int source_width,
                                     int channels, int channel, float row, float column) {
    const float top = floorf(row), left = floorf(column);
    float downs[4], rights[4], sum = 0.0f;
    cubic_weights(row - top, downs);
    cubic_weights(column - left, rights);
    for (int i = 0; i < 4; ++i) {
        const int y = clamped(static_cast<int>(top) - 1 + i, source_height);
        for (int j = 0; j < 4; ++j) {
            const int x = clamped(static_cast<int>(left) - 1 + j, source_width);
            const byte* pixel = source + at(y, x, source_width, channels);
            sum += downs[i] * rights[j] * (channel < 0 ? grey(pixel) : pixel[channel]);
        }
    }
    return sum;
}

KERNEL enlarge(const byte* source, byte* target, int source_height, int source_width, int height,
               int width, int channels) {
    PLACE(x, y, width, height);
    const float row = (y + 0.5f) * source_height / height - 0.5f;
    const float column = (x + 0.5f) * source_width / width - 0.5f;
    for (int channel = 0; channel < channels; ++channel)
        target[at(y, x, width, channels) + channel] = to_byte(
            cubic(source, source_height, source_width, channels, channel, row, column));
}

KERNEL mirror(const byte* source, byte* target, int source_height, int source_width, int height,
              int width, int top, int left) {
    PLACE(x, y, width, height);
    const byte* pixel = source + at(mirrored(y - top, source_height),
                                    mirrored(x - left, source_width), source_width, 3);
    for (int channel = 0; channel < 3; ++channel)
        target[at(y, x, width, 3) + channel] = pixel[channel];
}

// ---- mixing ----

// The mask may be null: then the opacity counts everywhere.
KERNEL blend(const byte* base, const byte* over, const byte* mask, float opacity, byte* target,
             int height, int width) {
    PLACE(x, y, width, height);
    const float share = mask ? mask[at(y, x, width, 1)] * (opacity / 255.0f) : opacity;
    for (int channel = 0; channel < 3; ++channel) {
        const size_t place = at(y, x, width, 3) + channel;
        const float start = base[place];
        target[place] = to_byte(start + (over[place] - start) * share);
    }
}

KERNEL add_detail(const byte* photo, const byte* small, byte* target, int height, int width,
                  int small_height, int small_width, float gain) {
    PLACE(x, y, width, height);
    const float row = (y + 0.5f) * small_height / height - 0.5f;
    const float column = (x + 0.5f) * small_width / width - 0.5f;
    const float coarse = to_byte(cubic(small, small_height, small_width, 3, -1, row, column));
    const float fine = gain * (grey(photo + at(y, x, width, 3)) - coarse);
    for (int channel = 0; channel < 3; ++channel) {
        byte* value = target + at(y, x, width, 3) + channel;
        *value = to_byte(*value + fine);
    }
}

// ---- colour: sRGB (IEC 61966-2-1) and CIE L*a*b* of 1976, white D65 ----

static __device__ inline float to_linear(float value) {
    return value <= 0.04045f ? value / 12.92f : powf((value + 0.055f) / 1.055f, 2.4f);
}

static __device__ inline float from_linear(float value) {
    value = fminf(fmaxf(value, 0.0f), 1.0f);
    return value <= 0.0031308f ? 12.92f * value : 1.055f * powf(value, 1.0f / 2.4f) - 0.055f;
}

static __device__ inline float to_lab(float value) {
    return value > 0.008856f ? cbrtf(value) : 7.787f * value + 16.0f / 116.0f;
}

static __device__ inline float from_lab(float value) {
    return value > 0.206893f ? value * value * value : (value - 16.0f / 116.0f) / 7.787f;
}

// Lab's three functions of a pixel: of X, Y and Z over the white's.
static __device__ inline void lab_of(const byte* pixel, float* lab) {
    const float red = to_linear(pixel[0] / 255.0f), green = to_linear(pixel[1] / 255.0f),
                blue = to_linear(pixel[2] / 255.0f);
    lab[0] = to_lab((0.412453f * red + 0.357580f * green + 0.180423f * blue) / 0.950456f);
    lab[1] = to_lab(0.212671f * red + 0.715160f * green + 0.072169f * blue);
    lab[2] = to_lab((0.019334f * red + 0.119193f * green + 0.950227f * blue) / 1.088754f);
}

// Brightness is the second function alone, colour how far the others lie from it.
KERNEL keep_colour(const byte* photo, const byte* painted, byte* target, int height, int width) {
    PLACE(x, y, width, height);
    const size_t place = at(y, x, width, 3);
    float colour[3], brightness[3];
    lab_of(photo + place, colour);
    lab_of(painted + place, brightness);
    const float shift = brightness[1] - colour[1];
    const float big_x = from_lab(colour[0] + shift) * 0.950456f;
    const float big_y = from_lab(brightness[1]);
    const float big_z = from_lab(colour[2] + shift) * 1.088754f;
    const float red = 3.240479f * big_x - 1.537150f * big_y - 0.498535f * big_z;
    const float green = -0.969256f * big_x + 1.875991f * big_y + 0.041556f * big_z;
    const float blue = 0.055648f * big_x - 0.204043f * big_y + 1.057311f * big_z;
    target[place] = to_byte(from_linear(red) * 255.0f);
    target[place + 1] = to_byte(from_linear(green) * 255.0f);
    target[place + 2] = to_byte(from_linear(blue) * 255.0f);
}

// ---- places ----

// Bilinear; outside the source lies black (`outside` 0) or its mirror image (`outside` 1).
static __device__ inline float bilinear(const byte* source, int source_height, int source_width,
                                        int channels, int channel, float row, float column,
                                        int outside) {
    const float top = floorf(row), left = floorf(column);
    float sum = 0.0f;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            int y = static_cast<int>(top) + i, x = static_cast<int>(left) + j;
            const float share = (i ? row - top : 1.0f - (row - top)) *
                                (j ? column - left : 1.0f - (column - left));
            if (outside) {
                y = mirrored(y, source_height);
                x = mirrored(x, source_width);
            } else if (y < 0 || x < 0 || y >= source_height || x >= source_width) {
                continue;
            }
            sum += share * source[at(y, x, source_width, channels) + channel];
        }
    return sum;
}

// The map's six numbers lead from (x, y) of the target to those of the source. A place this far
// outside is as black as any further, and still an int.
KERNEL warp(const byte* source, byte* target, int source_height, int source_width, int height,
            int width, int channels, float xx, float xy, float x0, float yx, float yy, float y0) {
    PLACE(x, y, width, height);
    const float column = fminf(fmaxf(xx * x + xy * y + x0, -2.0f), source_width + 2.0f);
    const float row = fminf(fmaxf(yx * x + yy * y + y0, -2.0f), source_height + 2.0f);
    for (int channel = 0; channel < channels; ++channel)
        target[at(y, x, width, channels) + channel] =
            to_byte(bilinear(source, source_height, source_width, channels, channel, row, column, 0));
}

// places: height x width x 2 float, (x, y) in the source for each pixel of the target.
KERNEL remap(const byte* source, const float* map_x, const float* map_y, byte* target,
             int source_height, int source_width, int height, int width, int channels) {
    PLACE(x, y, width, height);
    const float row = map_y[at(y, x, width, 1)], column = map_x[at(y, x, width, 1)];
    for (int channel = 0; channel < channels; ++channel)
        target[at(y, x, width, channels) + channel] = to_byte(bilinear(
            source, source_height, source_width, channels, channel, row, column, 1));
}

// ---- video: NV12, BT.709, limited range (ITU-R BT.709-6) ----

// A thread for each block of 2x2 pixels; height and width are even. First the plane of brightness,
// then that of colour differences, interleaved, at half the size.
KERNEL picture_to_nv12(const byte* picture, byte* frame, int height, int width) {
    PLACE(x, y, width / 2, height / 2);
    float red = 0.0f, green = 0.0f, blue = 0.0f;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            const byte* pixel = picture + at(2 * y + i, 2 * x + j, width, 3);
            const float bright = 0.2126f * pixel[0] + 0.7152f * pixel[1] + 0.0722f * pixel[2];
            frame[at(2 * y + i, 2 * x + j, width, 1)] = to_byte(16.0f + bright * (219.0f / 255.0f));
            red += pixel[0] / 4.0f;
            green += pixel[1] / 4.0f;
            blue += pixel[2] / 4.0f;
        }
    const float bright = 0.2126f * red + 0.7152f * green + 0.0722f * blue;
    byte* colour = frame + static_cast<size_t>(height) * width + at(y, x, width / 2, 2);
    colour[0] = to_byte(128.0f + (blue - bright) / 1.8556f * (224.0f / 255.0f));
    colour[1] = to_byte(128.0f + (red - bright) / 1.5748f * (224.0f / 255.0f));
}

KERNEL nv12_to_picture(const byte* frame, byte* picture, int height, int width) {
    PLACE(x, y, width, height);
    const byte* colour =
        frame + static_cast<size_t>(height) * width + at(y / 2, x / 2, width / 2, 2);
    const float bright = (frame[at(y, x, width, 1)] - 16.0f) * (255.0f / 219.0f);
    const float blue = bright + 1.8556f * (colour[0] - 128.0f) * (255.0f / 224.0f);
    const float red = bright + 1.5748f * (colour[1] - 128.0f) * (255.0f / 224.0f);
    const float green = (bright - 0.2126f * red - 0.0722f * blue) / 0.7152f;
    byte* pixel = picture + at(y, x, width, 3);
    pixel[0] = to_byte(red);
    pixel[1] = to_byte(green);
    pixel[2] = to_byte(blue);
}
